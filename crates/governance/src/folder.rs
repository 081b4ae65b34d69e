//! The entries of one folder, in order and within bounds.

use std::io;
use std::path::{Path, PathBuf};

use crate::manifest::explain;
use crate::problem::Problem;
use crate::project_files::{FolderEntry, ProjectFiles};

/// No folder of manifests that people keep is larger.
const MAX_ENTRIES: usize = 10_000;

/// A file or folder. Symbolic links count as what they lead to, and as files where it is not known what that is.
pub struct Item {
    pub(crate) name: String,
    /// Relative to the project's folder.
    pub(crate) path: PathBuf,
    pub(crate) is_folder: bool,
    pub(crate) is_link: bool,
    /// Why it is not known whether it is a folder.
    pub(crate) unreadable: Option<Problem>,
}

impl Item {
    /// The name without `.yaml` or `.yml`, for a manifest.
    pub(crate) fn manifest_stem(&self) -> Option<&str> {
        let is_yaml = |stem: &&str| !stem.is_empty() && !self.is_folder;
        self.name.strip_suffix(".yaml").or_else(|| self.name.strip_suffix(".yml")).filter(is_yaml)
    }
}

/// What lies in the folder `path`, by name, without hidden files. A folder that does not exist is empty.
///
/// The walk never goes deeper than a project's known places, so a link that leads back up is harmless.
pub(crate) fn list(files: &ProjectFiles, path: &Path, problems: &mut Vec<Problem>) -> Vec<Item> {
    let mut entries = match files.list(path, MAX_ENTRIES + 1) {
        Ok(entries) => entries,
        // A link that leads nowhere is not taken for a folder that was removed.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !files.is_link(path) => return Vec::new(),
        Err(error) => {
            problems.push(explain(path, &error));
            return Vec::new();
        }
    };
    if entries.len() > MAX_ENTRIES {
        let message = format!("the folder has more than {MAX_ENTRIES} entries");
        problems.push(Problem::of_file(path, message).help("is this really the project's folder?"));
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let items = entries.into_iter().map(|entry| item(path, entry));
    items.filter_map(|item| item.map_err(|problem| problems.push(problem)).ok().flatten()).collect()
}

fn item(folder: &Path, entry: FolderEntry) -> Result<Option<Item>, Problem> {
    let name = entry.name.into_string().map_err(|name| {
        Problem::of_file(&folder.join(&name), "the file's name is not UTF-8").help("rename the file")
    })?;
    if name.starts_with('.') || name.ends_with('~') {
        return Ok(None);
    }
    let path = folder.join(&name);
    // The reader of the entry says so of it, and of nothing around it.
    let unreadable = entry.is_folder.as_ref().err().map(|error| explain(&path, error));
    let is_folder = entry.is_folder.unwrap_or(false);
    Ok(Some(Item { name, path, is_folder, is_link: entry.is_link, unreadable }))
}
