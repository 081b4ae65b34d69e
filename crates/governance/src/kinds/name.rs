//! Names that SQL reads: `<team>.<name>`, without a dot of the name's own.

use std::path::Path;

use factum_types::{QualifiedName, TeamName};

use crate::problem::Problem;

/// The name of what `path` defines, `stem` being its file's name without its ending.
///
/// A table or view may not have a name that a topic could not have: SQL puts all of them into one space.
pub(crate) fn relation(
    team: &TeamName,
    path: &Path,
    stem: &str,
    noun: &str,
    example: &str,
) -> Result<QualifiedName, Problem> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if let Some(found) = stem.chars().find(|c| !allowed(*c)) {
        let message = format!("{noun} name cannot have {found:?} in it");
        let help = format!("rename the file with letters, digits, `-` and `_`, for example `{example}`");
        return Err(Problem::of_file(path, message).help(help));
    }
    QualifiedName::new(team, stem)
        .map_err(|error| Problem::of_file(path, format!("it cannot have this name: {error}")))
}

/// A name as a manifest writes it, which is not empty.
pub(crate) fn bare(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("it is empty") } else { Ok(text.to_owned()) }
}
