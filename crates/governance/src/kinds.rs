//! The kinds of definitions, one file each. A new kind is a file here and an entry of [`KINDS`].

mod dashboard;
mod event;
mod feed;
mod missing_file;
mod name;
mod pipeline;
mod table;
mod team;

use crate::kind::KindEntry;
pub use dashboard::{DashboardDefinition, KeptView, Panel, PanelFault, PanelKind, PanelPart};
pub(crate) use event::partitions;
pub use event::{Capture, EventDefinition, Format};
pub use feed::{FeedDefinition, Generator, Rate};
pub use pipeline::PipelineDefinition;
pub use table::TableDefinition;
pub use team::TeamDefinition;

/// Every kind; what refers to others comes behind them.
pub(crate) static KINDS: [KindEntry; 6] = [
    KindEntry::of::<TeamDefinition>(),
    KindEntry::of::<EventDefinition>(),
    KindEntry::of::<TableDefinition>(),
    KindEntry::of::<PipelineDefinition>(),
    KindEntry::of::<FeedDefinition>(),
    KindEntry::of::<DashboardDefinition>(),
];
