//! Projects: folders of manifests that say which team owns which event, loaded, planned and applied.
//!
//! ```text
//!   folder ──project::load──► Project ──Plan::between──► Plan ──apply──► topics + `_factum.resources`
//!     ▲                                                                            │
//!   watch                                                           Catalogue::load┴──► Catalogue
//! ```
//!
//! Invariants: a project that loads is whole (every name valid, every file readable); what is wrong is said
//! at its place in the user's own file, all of it at once; applying a plan twice changes nothing the second
//! time; no plan removes a topic.
//!
//! Not here: HTTP, terminals and colour, the checking of records against their schemas, and what SQL means: that
//! is asked of an [`Effect`].

pub mod catalogue;
mod defaults;
mod definitions;
mod effects;
mod folder;
mod human;
mod kind;
mod kinds;
mod manifest;
pub mod plan;
mod problem;
pub mod project;
mod project_files;
pub mod record;
mod resource_id;
pub mod scaffold;
mod topic_settings;
pub mod watch;

pub use catalogue::{Catalogue, ProjectStatus};
pub use defaults::{Defaults, Visibility};
pub use definitions::{Definitions, SharedDefinition};
pub use effects::{Effect, EffectError, Effects};
pub use kind::{Definition, Fault, Kind};
pub use kinds::{
    Capture, DashboardDefinition, EventDefinition, FeedDefinition, Format, Generator, KeptView, Panel,
    PanelFault, PanelKind, PanelPart, PipelineDefinition, Rate, TableDefinition, TeamDefinition,
};
pub use plan::{ApplyError, ApplyResult, Change, Plan, PlanError};
pub use problem::{Problem, Severity};
pub use project::{Environment, LoadError, Project};
pub use resource_id::{ResourceId, ResourceKind};
pub use topic_settings::TopicSettings;
