//! `dashboards/D.yaml`: panels that show columns of views.
//!
//! Invariants: a panel shows one thing, and has what that takes (`line` an `over`, `bar` a `by`). Whether its view
//! has these columns is asked of the SQL engine, when it is applied and again whenever it is shown.

mod manifest;

use std::fmt;
use std::path::Path;

use factum_types::suggest::nearest;
use factum_types::{QualifiedName, TeamName};
use serde::{Deserialize, Serialize};

use crate::kind::{Context, Fault, Kind, Origin};
use crate::problem::Problem;

/// A page of panels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardDefinition {
    /// `<team>.<dashboard>`.
    pub name: QualifiedName,
    /// The team that owns it.
    pub team: TeamName,
    /// The project that it is defined in.
    pub project: String,
    /// What stands above it.
    pub title: String,
    /// What it shows, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// In the order of the file.
    pub panels: Vec<Panel>,
}

/// Part of a dashboard: columns of one view, shown in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panel {
    /// What stands above it.
    pub title: String,
    /// How it is shown.
    pub kind: PanelKind,
    /// `<team>.<view>`.
    pub view: String,
    /// What is shown; exactly one but for lines and tables.
    pub columns: Vec<String>,
    /// The column along a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// The column that names bars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What stands beside a value, such as `$`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The most rows that are shown, counted from the end of a line, and from the beginning of bars and tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u32>,
    /// Whether it takes the whole width.
    #[serde(default)]
    pub wide: bool,
}

impl Kind for DashboardDefinition {
    const WORD: &'static str = "dashboard";
    const FOLDER: &'static str = "dashboards";

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn team(&self) -> &TeamName {
        &self.team
    }

    fn project(&self) -> &str {
        &self.project
    }

    fn facts(&self) -> String {
        match self.panels.len() {
            1 => "1 panel".to_owned(),
            n => format!("{n} panels"),
        }
    }

    fn read(
        context: &Context<'_>,
        path: &Path,
        stem: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<(Self, Origin)> {
        manifest::read(context, path, stem, problems)
    }
}

impl DashboardDefinition {
    /// What panels want to show and `views` do not have.
    pub fn faults(&self, views: &[KeptView]) -> Vec<Fault> {
        let panels = self.panels.iter().enumerate();
        let faults = panels.filter_map(|(index, panel)| {
            let fault = panel.resolve(views).err()?;
            let (place, help) = (fault.part.place(index), fault.help());
            Some(Fault { place, help, message: fault.message })
        });
        faults.collect()
    }
}

/// A view, as far as dashboards must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptView {
    /// `<team>.<view>`.
    pub name: String,
    /// Its columns; `None` while it waits for an event to learn them from.
    pub columns: Option<Vec<String>>,
}

/// How a panel shows its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PanelKind {
    /// One big number: that of the view's first row.
    Number,
    /// A line over time, one for each column.
    Line,
    /// A bar for each row.
    Bar,
    /// Rows.
    Table,
}

impl PanelKind {
    pub(crate) const ALL: [Self; 4] = [Self::Number, Self::Line, Self::Bar, Self::Table];

    /// The word for it in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Line => "line",
            Self::Bar => "bar",
            Self::Table => "table",
        }
    }
}

/// Which part of a panel names what there is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelPart {
    /// `view`.
    View,
    /// The column of this index.
    Column(usize),
    /// `over`.
    Over,
    /// `by`.
    By,
}

impl PanelPart {
    /// Its place in the manifest, for the panel of this index.
    pub(crate) fn place(self, panel: usize) -> String {
        match self {
            Self::View => format!("panels/{panel}/view"),
            Self::Column(at) => format!("panels/{panel}/columns/{at}"),
            Self::Over => format!("panels/{panel}/over"),
            Self::By => format!("panels/{panel}/by"),
        }
    }
}

/// Why a panel has nothing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelFault {
    /// Where it lies.
    pub part: PanelPart,
    /// What is wrong.
    pub message: String,
    /// The name that was probably meant.
    pub near: Option<String>,
    /// Every name that there is.
    pub known: Vec<String>,
}

impl PanelFault {
    fn new(part: PanelPart, message: String, asked: &str, known: Vec<String>) -> Self {
        let near = nearest(asked, known.iter().map(String::as_str)).map(str::to_owned);
        Self { part, message, near, known }
    }

    /// What to do.
    pub fn help(&self) -> String {
        match (&self.near, self.known.as_slice()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => "views are declared in pipelines/*.sql".to_owned(),
            (None, known) => format!("there is {}", known.join(", ")),
        }
    }
}

/// What is wrong and what to do, in a line.
impl fmt::Display for PanelFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help())
    }
}

impl Panel {
    /// The same panel with its columns as its view among `views` calls them. Case and underscores do not matter where
    /// no two columns differ by them alone; a view that does not know its columns yet is taken at its word.
    ///
    /// # Errors
    /// [`PanelFault`] for the first part that names what there is not.
    pub fn resolve(&self, views: &[KeptView]) -> Result<Self, PanelFault> {
        let Some(view) = views.iter().find(|view| view.name == self.view) else {
            let known = views.iter().map(|view| view.name.clone()).collect();
            let message = format!("there is no view {}", self.view);
            return Err(PanelFault::new(PanelPart::View, message, &self.view, known));
        };
        let Some(known) = &view.columns else { return Ok(self.clone()) };
        let find = |part, asked: &String| {
            column(known, asked).ok_or_else(|| {
                let message = format!("view {} has no column {asked}", self.view);
                PanelFault::new(part, message, asked, known.clone())
            })
        };
        let columns = self.columns.iter().enumerate();
        Ok(Self {
            columns: columns
                .map(|(at, asked)| find(PanelPart::Column(at), asked))
                .collect::<Result<_, _>>()?,
            over: self.over.as_ref().map(|asked| find(PanelPart::Over, asked)).transpose()?,
            by: self.by.as_ref().map(|asked| find(PanelPart::By, asked)).transpose()?,
            ..self.clone()
        })
    }
}

fn column(known: &[String], asked: &str) -> Option<String> {
    let squashed = |name: &str| name.to_lowercase().replace('_', "");
    let exact = known.iter().find(|name| *name == asked);
    let mut similar = known.iter().filter(|name| squashed(name) == squashed(asked));
    exact.or_else(|| similar.next().filter(|_| similar.next().is_none())).cloned()
}
