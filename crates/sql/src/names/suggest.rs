//! Names that are almost another.

use factum_types::suggest;

/// A name as it is compared: without regard to case, underscores and hyphens, but for the underscore that
/// begins an envelope column.
pub(crate) fn squash(name: &str) -> String {
    let mark = if name.starts_with('_') { "_" } else { "" };
    let rest = name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase);
    mark.chars().chain(rest).collect()
}

/// The name that was most likely meant, if one is near.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    suggest::nearest_by(squash, name, known)
}
