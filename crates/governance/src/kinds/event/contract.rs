//! The contract beside an event: `E.avsc`, `E.schema.json` or `E.proto`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::SourceSpan;
use serde_json::Value;

use factum_types::suggest::nearest;

use super::super::missing_file;
use super::{EventDefinition, Format};
use crate::kind::{Context, Entry, Kind};
use crate::manifest::SourceFile;
use crate::problem::Problem;
use crate::project_files::is_unanswered;

const ENDINGS: [(&str, Format); 3] =
    [(".avsc", Format::Avro), (".schema.json", Format::Json), (".proto", Format::Protobuf)];

/// What a manifest says of its contract.
pub(super) struct StatedContract {
    pub(super) format: Option<(Format, SourceSpan)>,
    /// The file that `schema:` names.
    pub(super) schema: Option<(String, SourceSpan)>,
}

/// A contract that was found and can be parsed.
pub(super) struct Contract {
    /// Relative to the project's folder.
    pub(super) path: PathBuf,
    pub(super) format: Format,
    /// Names of the data's fields, where the contract lists them.
    pub(super) fields: Option<Vec<String>>,
    pub(super) text: Arc<str>,
}

/// The stem and format of a contract's file name.
pub(super) fn split(name: &str) -> Option<(&str, Format)> {
    ENDINGS.iter().find_map(|(ending, format)| Some((name.strip_suffix(ending)?, *format)))
}

/// The contract that the file names, or the one beside it.
pub(super) fn find(
    context: &Context<'_>,
    file: &SourceFile,
    stem: &str,
    stated: &StatedContract,
    problems: &mut Vec<Problem>,
) -> Option<Contract> {
    let (name, format) = match &stated.schema {
        Some((name, span)) => match named(context, file, name) {
            Ok(found) => found,
            Err((message, help)) => {
                problems.push(file.problem(*span, message).help(help));
                return None;
            }
        },
        None => beside(context, file, stem, stated, problems)?,
    };
    if let Some((other, span)) = stated.format.filter(|(other, _)| *other != format) {
        let message =
            format!("`format` is {}, but {name} is a contract for {}", other.as_str(), format.as_str());
        problems.push(file.problem(span, message).help("change one of the two"));
        return None;
    }
    let path = file.path.parent().unwrap_or(Path::new("")).join(name);
    let contract = SourceFile::read(context.files, &path).and_then(|source| {
        let fields = fields(&source, format)?;
        Ok(Contract { path, format, fields, text: source.text })
    });
    contract.map_err(|problem| problems.push(problem)).ok()
}

/// Message and advice.
type Refusal = (String, String);

/// A contract named in `schema:`. It lies within the project: a manifest cannot reach other files of the machine.
fn named(context: &Context<'_>, file: &SourceFile, name: &str) -> Result<(String, Format), Refusal> {
    let Some((_, format)) = split(name) else {
        let help = "a contract's name ends with .avsc, .schema.json or .proto".to_owned();
        return Err((format!("`schema` cannot be {name:?}"), help));
    };
    let path = file.path.parent().unwrap_or(Path::new("")).join(name);
    let found = match context.files.canonical(&path) {
        Ok(found) => found,
        Err(error) if is_unanswered(&error) => {
            let help = "see whether the file system that it is on answers".to_owned();
            return Err((format!("{name} cannot be read: {error}"), help));
        }
        Err(_) => {
            let siblings = context.file_names::<EventDefinition>().filter(|name| split(name).is_some());
            return Err(missing_file::explain(context.files, &path, name, siblings));
        }
    };
    let is_within = context.files.canonical(Path::new("")).is_ok_and(|root| found.starts_with(root));
    if !is_within {
        let help = "keep contracts beside their events".to_owned();
        return Err((format!("{name} lies outside the project's folder"), help));
    }
    Ok((name.to_owned(), format))
}

fn beside(
    context: &Context<'_>,
    file: &SourceFile,
    stem: &str,
    stated: &StatedContract,
    problems: &mut Vec<Problem>,
) -> Option<(String, Format)> {
    let format = stated.format.map(|(format, _)| format);
    let mut found: Vec<(String, Format)> = ENDINGS
        .iter()
        .map(|(ending, format)| (format!("{stem}{ending}"), *format))
        .filter(|(name, _)| context.file_names::<EventDefinition>().any(|file| file == name))
        .collect();
    if found.len() > 1 {
        found.retain(|(_, other)| Some(*other) == format);
        if found.is_empty() {
            let problem = Problem::of_file(&file.path, "there are several contracts beside it");
            problems.push(problem.help("say which with `schema: FILE`, or keep one"));
        }
    }
    found.pop()
}

/// Contracts without an event: most often a name that was mistyped.
pub(super) fn find_unused(context: &Context<'_>, read: &[&EventDefinition], problems: &mut Vec<Problem>) {
    let stems = context.stems::<EventDefinition>();
    for item in context.items::<EventDefinition>() {
        let Entry::Beside = EventDefinition::entry(item) else { continue };
        let Some((stem, _)) = split(&item.name) else { continue };
        let is_used = read.iter().any(|event| event.schema.as_deref() == Some(&item.path));
        if is_used || stems.contains(&stem) {
            continue;
        }
        let help = match nearest(stem, stems.iter().copied()) {
            Some(near) => format!("did you mean to name it after `{near}.yaml`?"),
            None => format!("add {stem}.yaml beside it, or name it in an event's `schema:`"),
        };
        let problem = Problem::of_file(&item.path, "no event uses this contract").help(help);
        problems.push(problem.warning());
    }
}

/// Checks the syntax of a contract as far as this crate can, and lists its fields.
fn fields(source: &SourceFile, format: Format) -> Result<Option<Vec<String>>, Problem> {
    if format == Format::Protobuf {
        return Ok(None);
    }
    let contract: Value = serde_json::from_str(&source.text).map_err(|error| {
        let span = source.span_of(error.line(), error.column());
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text);
        source.problem(span, format!("not valid JSON: {message}")).label("here")
    })?;
    let listed = match format {
        Format::Avro => contract.get("fields").and_then(Value::as_array).map(|fields| {
            let name = |field: &Value| field.get("name").and_then(Value::as_str).map(str::to_owned);
            fields.iter().filter_map(name).collect()
        }),
        // A JSON Schema that takes further properties still names those that its owner vouches for.
        _ => contract
            .get("properties")
            .and_then(Value::as_object)
            .map(|properties| properties.keys().cloned().collect()),
    };
    Ok(listed)
}
