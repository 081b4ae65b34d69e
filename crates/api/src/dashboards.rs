//! Dashboards and their panels.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of panels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DashboardView {
    /// Its name.
    #[schema(example = "store.movies")]
    pub name: String,
    /// The team that owns it.
    #[schema(example = "store")]
    pub team: String,
    /// Its title.
    #[schema(example = "Contoso Movies, live")]
    pub title: String,
    /// What it shows, in a sentence.
    pub summary: Option<String>,
    /// Its panels, in order.
    pub panels: Vec<PanelView>,
}

/// Columns of one view, shown in one way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PanelView {
    /// `number`, `line`, `bar` or `table`.
    #[schema(example = "bar")]
    pub kind: String,
    /// Its title.
    #[schema(example = "Top ten films")]
    pub title: String,
    /// The view that it shows.
    #[schema(example = "store.top_movies")]
    pub view: String,
    /// What is shown, as the view calls it; exactly one but for lines and tables.
    pub columns: Vec<String>,
    /// The column along a line.
    pub over: Option<String>,
    /// The column that names bars.
    #[schema(example = "title")]
    pub by: Option<String>,
    /// What stands beside a value.
    #[schema(example = "$")]
    pub unit: Option<String>,
    /// The most rows to show: the last of a line, the first of bars and tables.
    pub last: Option<u32>,
    /// Whether it takes the whole width.
    pub wide: bool,
    /// Why there is nothing to show: the view or the column does not exist.
    pub problem: Option<String>,
}

/// Every dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DashboardList {
    /// Every dashboard, by name.
    pub dashboards: Vec<DashboardView>,
}
