//! `tables/T.yaml`: a reference table and where its rows come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use factum_types::suggest::nearest;
use factum_types::{QualifiedName, TeamName};
use miette::SourceSpan;
use serde::{Deserialize, Serialize};

use super::{missing_file, name};
use crate::folder::Item;
use crate::kind::{Context, Entry, Kind, Origin};
use crate::manifest::{Fields, SourceFile};
use crate::problem::Problem;

/// Rows are kept in memory and on the log as one record.
const MAX_BYTES: u64 = 8 << 20;
const TOO_LARGE: &str = "a reference table is kept in memory whole: leave out columns and rows that no query \
     needs, or send the rows to a topic and make a view of it";
const LATER: &str = "this version takes rows from a CSV file: `from: products.csv`";

/// A table of rows that events are looked up in: products, categories, rates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDefinition {
    /// `<team>.<table>`.
    pub name: QualifiedName,
    /// The team that owns it.
    pub team: TeamName,
    /// The project that it is defined in.
    pub project: String,
    /// What its rows are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The column that identifies a row.
    pub key: String,
    /// Where the rows come from, relative to the project's folder.
    pub from: PathBuf,
    /// The rows: CSV with a header.
    pub rows: Arc<str>,
}

impl Kind for TableDefinition {
    const WORD: &'static str = "table";
    const FOLDER: &'static str = "tables";
    const IS_RELATION: bool = true;

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
        let from = self.from.file_name().unwrap_or_default().to_string_lossy();
        format!("key {}, from {from}", self.key)
    }

    fn files(&self) -> Vec<&Path> {
        vec![&self.from]
    }

    /// Folders may hold the rows.
    fn entry(item: &Item) -> Entry<'_> {
        item.manifest_stem().map_or(Entry::Beside, Entry::Manifest)
    }

    fn read(
        context: &Context<'_>,
        path: &Path,
        stem: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<(Self, Origin)> {
        read(context, path, stem, problems)
    }

    fn look_beside(context: &Context<'_>, read: &[&Self], problems: &mut Vec<Problem>) {
        let stems = context.stems::<Self>();
        for item in context.items::<Self>() {
            let Some(stem) = item.name.strip_suffix(".csv").filter(|_| !item.is_folder) else { continue };
            // A table that has an error is not read, and may name any.
            if read.len() < stems.len()
                || read.iter().any(|table| table.from.file_name() == item.path.file_name())
            {
                continue;
            }
            let help = match nearest(stem, stems.iter().copied()) {
                Some(near) => format!("name it in `from:` of {near}.yaml, or remove it"),
                None => format!("add {stem}.yaml beside it, with `from: {}` and `key:`", item.name),
            };
            problems.push(Problem::of_file(&item.path, "no table reads this").help(help).warning());
        }
    }
}

/// Reads the manifest at `path`, named `stem` without its ending, and the rows that it names.
fn read(
    context: &Context<'_>,
    path: &Path,
    stem: &str,
    problems: &mut Vec<Problem>,
) -> Option<(TableDefinition, Origin)> {
    let named = name::relation(context.team, path, stem, "a table's", "products.yaml");
    let named = named.map_err(|problem| problems.push(problem)).ok();
    let file = SourceFile::read(context.files, path).map_err(|problem| problems.push(problem)).ok()?;
    let (mut found, told) = (Vec::new(), problems.len());
    let mut fields = Fields::of_file(&file, problems)?;
    let from = fields.parsed("from", name::bare, "products.csv");
    let key = fields.parsed("key", name::bare, "ItemId").map(|(key, _)| key);
    let summary = fields.text("summary");
    let later = ["feed", "topic"].map(|field| (field, fields.take(field)));
    fields.finish();
    for (field, node) in later {
        if let Some(node) = node {
            let message = format!("`{field}` is not supported by this version yet");
            found.push(file.problem(node.span, message).help(LATER));
        }
    }
    let rows = match from {
        Some((from, span)) => rows(context, &file, &from, span).map_err(|problem| found.push(problem)).ok(),
        None => {
            missing(&file, "from", "products.csv", &mut found);
            None
        }
    };
    if key.is_none() {
        missing(&file, "key", "ItemId", &mut found);
    }
    // A field that is wrong has been said to be; that it is missing too would be said in vain.
    let is_told = problems.len() > told;
    problems.extend(found.into_iter().filter(|problem| !is_told || problem.line_and_column().is_some()));
    let rows = rows?;
    let table = TableDefinition {
        name: named?,
        team: context.team.clone(),
        project: context.project.to_owned(),
        summary,
        key: key?,
        from: rows.path.clone(),
        rows: Arc::clone(&rows.text),
    };
    Some((table, Origin { file, places: BTreeMap::new() }))
}

fn missing(file: &SourceFile, field: &str, example: &str, found: &mut Vec<Problem>) {
    let what = if field == "key" { "which column identifies a row" } else { "where its rows come from" };
    let problem = Problem::of_file(&file.path, format!("the table does not say {what}"));
    found.push(problem.help(format!("add a line such as `{field}: {example}`")));
}

/// The CSV file that `from` names. Unlike a contract it may lie outside the project's folder, where data often does.
fn rows(
    context: &Context<'_>,
    file: &SourceFile,
    from: &str,
    span: SourceSpan,
) -> Result<SourceFile, Problem> {
    if !from.to_ascii_lowercase().ends_with(".csv") {
        let message = format!("rows from {from:?} are not supported by this version yet");
        return Err(file.problem(span, message).help(LATER));
    }
    let path = file.path.parent().unwrap_or(Path::new("")).join(from);
    // Any other failure is said by reading it.
    if context.files.exists(&path).is_ok_and(|exists| !exists) {
        let siblings = context.file_names::<TableDefinition>().filter(|name| name.ends_with(".csv"));
        let (message, help) = missing_file::explain(context.files, &path, from, siblings);
        return Err(file.problem(span, message).help(help));
    }
    SourceFile::read_within(MAX_BYTES, TOO_LARGE, context.files, &path)
}
