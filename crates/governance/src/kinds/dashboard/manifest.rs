//! The fields of `dashboards/D.yaml`.

use std::path::Path;

use factum_types::TeamName;
use miette::SourceSpan;

use super::{DashboardDefinition, Panel, PanelKind, PanelPart};
use crate::kind::{Context, Origin};
use crate::kinds::name;
use crate::manifest::{Fields, SourceFile};
use crate::problem::Problem;

/// Each panel is a stream of its view's changes in every browser that shows it.
const MAX_PANELS: usize = 50;
/// Rows beyond this are not looked at by a person.
const MAX_LAST: u32 = 10_000;
const PANEL: &str = "{ number: orders, view: orders_this_hour }";

/// Where the parts of a panel stand.
struct Places {
    view: SourceSpan,
    columns: Vec<SourceSpan>,
    over: Option<SourceSpan>,
    by: Option<SourceSpan>,
}

impl Places {
    /// The same, named for the panel of this index.
    fn named(&self, panel: usize) -> Vec<(String, SourceSpan)> {
        let columns = self.columns.iter().enumerate().map(|(at, span)| (PanelPart::Column(at), *span));
        let over = self.over.map(|span| (PanelPart::Over, span));
        let by = self.by.map(|span| (PanelPart::By, span));
        let parts = columns.chain([(PanelPart::View, self.view)]).chain(over).chain(by);
        parts.map(|(part, span)| (part.place(panel), span)).collect()
    }
}

/// Reads the manifest at `path`, named `stem` without its ending.
pub(super) fn read(
    context: &Context<'_>,
    path: &Path,
    stem: &str,
    problems: &mut Vec<Problem>,
) -> Option<(DashboardDefinition, Origin)> {
    let named = name::relation(context.team, path, stem, "a dashboard's", "movies.yaml");
    let named = named.map_err(|problem| problems.push(problem)).ok();
    let file = SourceFile::read(context.files, path).map_err(|problem| problems.push(problem)).ok()?;
    let told = problems.len();
    let mut fields = Fields::of_file(&file, problems)?;
    let title = fields.text("title").unwrap_or_else(|| stem.to_owned());
    let summary = fields.text("summary");
    let found = fields.items("panels", PANEL, |fields, span| panel(context.team, fields, span));
    fields.finish();
    let (panels, places): (Vec<_>, Vec<_>) = found.into_iter().flatten().unzip();
    if problems.len() == told {
        let help = format!("write `panels:` and below it such as `- {PANEL}`");
        match panels.len() {
            0 => problems.push(Problem::of_file(path, "the dashboard has no panels").help(help)),
            1..=MAX_PANELS => {}
            n => {
                let message =
                    format!("the dashboard has {n} panels, and no more than {MAX_PANELS} are shown");
                problems.push(Problem::of_file(path, message).help("make two dashboards of it"));
            }
        }
    }
    let dashboard = DashboardDefinition {
        name: named?,
        team: context.team.clone(),
        project: context.project.to_owned(),
        title,
        summary,
        panels,
    };
    let places = places.iter().enumerate().flat_map(|(index, places)| places.named(index));
    Some((dashboard, Origin { file, places: places.collect() }))
}

fn panel(team: &TeamName, fields: &mut Fields<'_>, span: SourceSpan) -> Option<(Panel, Places)> {
    let title = fields.text("title");
    let kinds = PanelKind::ALL.map(|kind| (kind, fields.has(kind.as_str()), fields.places(kind.as_str())));
    let view = fields.parsed("view", name::bare, "orders_this_hour");
    let over = fields.parsed("over", name::bare, "window_start");
    let by = fields.parsed("by", name::bare, "title");
    let unit = fields.text("unit");
    let last = fields.parsed("last", last, "60");
    let wide = fields.word("wide", &[("true", true), ("false", false)]).is_some_and(|(wide, _)| wide);
    let mut named = kinds.into_iter().filter(|(_, is_there, _)| *is_there);
    let (first, second) = (named.next(), named.next());
    let Some((kind, _, columns)) = first else {
        let help = format!("one of number, line, bar and table with its column, for example `{PANEL}`");
        fields.refuse(span, "the panel does not say what it shows", help);
        return None;
    };
    if let Some((other, _, places)) = second {
        let span = places.first().map_or(span, |(_, span)| *span);
        let message =
            format!("a panel shows one thing, and this one has `{}` and `{}`", kind.as_str(), other.as_str());
        fields.refuse(span, message, "make two panels of it");
        return None;
    }
    let Some((view, view_span)) = view else {
        fields.refuse(span, "the panel does not say which view it shows", "add `view: orders_this_hour`");
        return None;
    };
    let shape = Shape { kind, columns: &columns, over: over.as_ref(), by: by.as_ref(), last: last.as_ref() };
    shape.check(fields, span)?;
    let (columns, spans): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let places = Places {
        view: view_span,
        columns: spans,
        over: over.as_ref().map(|(_, span)| *span),
        by: by.as_ref().map(|(_, span)| *span),
    };
    let panel = Panel {
        title: title.unwrap_or_else(|| columns.join(", ")),
        kind,
        view: if view.contains('.') { view } else { format!("{team}.{view}") },
        columns,
        over: over.map(|(column, _)| column),
        by: by.map(|(column, _)| column),
        unit,
        last: last.map(|(last, _)| last),
        wide,
    };
    Some((panel, places))
}

/// What must fit together in a panel.
struct Shape<'a> {
    kind: PanelKind,
    columns: &'a [(String, SourceSpan)],
    over: Option<&'a (String, SourceSpan)>,
    by: Option<&'a (String, SourceSpan)>,
    last: Option<&'a (u32, SourceSpan)>,
}

impl Shape<'_> {
    /// `None` once something was refused.
    fn check(&self, fields: &mut Fields<'_>, span: SourceSpan) -> Option<()> {
        let word = self.kind.as_str();
        let is = |kind| self.kind == kind;
        let (line, bar, number) = (is(PanelKind::Line), is(PanelKind::Bar), is(PanelKind::Number));
        if self.columns.is_empty() {
            fields.refuse(span, format!("`{word}` names no column"), format!("for example `{word}: orders`"));
        } else if let (Some((_, second)), true) = (self.columns.get(1), number || bar) {
            let help = "make a panel of each, or a table of all of them";
            fields.refuse(*second, format!("`{word}` shows one column"), help);
        } else if line && self.over.is_none() {
            fields.refuse(
                span,
                "the line does not say along which column it runs",
                "add `over: window_start`",
            );
        } else if bar && self.by.is_none() {
            fields.refuse(span, "the bars do not say by which column they are named", "add `by: title`");
        } else if let (Some((_, over)), false) = (self.over, line) {
            fields.refuse(*over, format!("`over` is a line's, and this is a {word}"), "remove it");
        } else if let (Some((_, by)), false) = (self.by, bar) {
            fields.refuse(*by, format!("`by` is a bar's, and this is a {word}"), "remove it");
        } else if let (Some((_, last)), true) = (self.last, number) {
            fields.refuse(*last, "a number shows one row", "remove `last`");
        } else {
            return Some(());
        }
        None
    }
}

fn last(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(count) if (1..=MAX_LAST).contains(&count) => Ok(count),
        _ => Err(format!("{text:?} is not a whole number from 1 to {MAX_LAST}")),
    }
}
