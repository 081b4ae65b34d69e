//! Names that are almost another.

use crate::schema::edit_distance;

/// A name as it is compared: without regard to case, underscores and hyphens, but for the underscore that
/// begins an envelope column.
pub(crate) fn squash(name: &str) -> String {
    let mark = if name.starts_with('_') { "_" } else { "" };
    let rest = name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase);
    mark.chars().chain(rest).collect()
}

/// The name that was most likely meant, if one is near.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = squash(name);
    let near = known.into_iter().filter_map(|candidate| {
        let other = squash(candidate);
        let begins = name.len() >= 3 && (other.starts_with(&name) || name.starts_with(&other));
        let distance = if begins { 1 } else { edit_distance(&name, &other) };
        let longest = name.chars().count().max(other.chars().count());
        (distance < longest && distance <= (longest / 3).max(1)).then_some((distance, candidate))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}
