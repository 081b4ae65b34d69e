//! Misplaced files: where one that nothing reads was probably meant to be, by its name alone.
//!
//! Not here: files of other kinds (notes, pictures, data), which may lie anywhere.

use factum_types::suggest::nearest;

use crate::folder::Item;
use crate::kinds::KINDS;

/// An ending that is read, and where: the folder of a team, or any.
struct Ending {
    text: &'static str,
    folder: Option<&'static str>,
    what: &'static str,
}

/// The longest first of those that end alike.
const ENDINGS: [Ending; 7] = [
    Ending { text: ".schema.json", folder: Some("events"), what: "a contract" },
    Ending { text: ".avsc", folder: Some("events"), what: "a contract" },
    Ending { text: ".proto", folder: Some("events"), what: "a contract" },
    Ending { text: ".sql", folder: Some("pipelines"), what: "SQL" },
    Ending { text: ".csv", folder: Some("tables"), what: "the rows of a table" },
    Ending { text: ".yaml", folder: None, what: "a manifest" },
    Ending { text: ".yml", folder: None, what: "a manifest" },
];

/// What to do with a file of `folder` (empty for the team's own) that is no definition there; `None` where its name says
/// nothing of Factum, or where something else may name it.
pub(super) fn advice(item: &Item, folder: &str) -> Option<String> {
    let name = item.name.as_str();
    let lower = name.to_lowercase();
    if let Some(ending) = ENDINGS.iter().find(|ending| lower.ends_with(ending.text)) {
        return match ending.folder {
            Some(other) if other != folder => {
                Some(format!("{} belongs in the folder `{other}`", ending.what))
            }
            _ if name.ends_with(ending.text) => None,
            _ => Some(format!("endings are in small letters: rename it to `{}`", renamed(name, ending.text))),
        };
    }
    let (stem, last) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())?;
    if last.eq_ignore_ascii_case("json") && folder == "events" {
        return Some(format!(
            "a contract's name ends with `.schema.json`: rename it to `{stem}.schema.json`"
        ));
    }
    let is_here = |ending: &&Ending| ending.folder.is_none_or(|other| other == folder);
    let endings = ENDINGS.iter().filter(is_here).filter_map(|ending| ending.text.strip_prefix('.'));
    let near = nearest(last, endings.filter(|ending| !ending.contains('.')))?;
    Some(format!("did you mean `{stem}.{near}`?"))
}

/// What to do with an entry of the project's own folder; `None` where it may be anything.
pub(super) fn advice_at_root(item: &Item) -> Option<String> {
    if !item.is_folder || ["teams", "platform"].contains(&item.name.as_str()) {
        return None;
    }
    let of_team = KINDS.iter().map(|kind| kind.folder).filter(|folder| !folder.is_empty());
    if let Some(folder) = of_team.into_iter().find(|folder| item.name.eq_ignore_ascii_case(folder)) {
        return Some(format!("it belongs to a team: teams/<team>/{folder}"));
    }
    nearest(&item.name, ["teams", "platform"]).map(|near| format!("did you mean `{near}`?"))
}

fn renamed(name: &str, ending: &str) -> String {
    let stem = name.len().checked_sub(ending.len()).and_then(|end| name.get(..end)).unwrap_or(name);
    format!("{stem}{ending}")
}
