//! Projects: folders of manifests that say which team owns which event, loaded, planned and applied.
//!
//! ```text
//!   folder ──Project::load──► Project ──Plan::between──► Plan ──apply──► topics + `_factum.resources`
//!     ▲                                                                            │
//!   watch                                                           Catalogue::load┴──► Catalogue
//! ```
//!
//! Always holds: a project that loads is whole (every name valid, every file readable); what is wrong is said
//! at its place in the user's own file, all of it at once; applying a plan twice changes nothing the second
//! time; no plan removes a topic.
//!
//! Not here: HTTP, terminals and colour, the checking of records against their schemas, and what SQL means: that
//! is asked of [`Pipelines`].

pub mod catalogue;
mod human;
mod manifest;
mod pipelines;
pub mod plan;
mod problem;
pub mod project;
mod resource_id;
pub mod resources;
pub mod scaffold;
pub mod suggest;
pub mod watch;

pub use catalogue::{Catalogue, ProjectStatus};
pub use pipelines::{KeptView, Pipelines, PipelinesError};
pub use plan::{Applied, ApplyError, Change, Definition, Plan, PlanError};
pub use problem::{Problem, Severity};
pub use project::{
    Capture, DashboardDefinition, Defaults, Environment, EventDefinition, FeedDefinition, Format, Generator,
    LoadError, Panel, PanelFault, PanelKind, PanelPart, PipelineDefinition, Project, Rate, TableDefinition,
    Team, TeamDefinition, Visibility,
};
pub use resource_id::{ResourceId, ResourceKind};
