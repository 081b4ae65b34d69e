//! The entries of one folder, in order and within bounds.

use std::io;
use std::path::{Path, PathBuf};

use crate::manifest::explain;
use crate::problem::Problem;

/// No folder of manifests that people keep is larger.
const MAX_ENTRIES: usize = 10_000;

/// A file or folder. Symbolic links count as what they lead to.
pub struct Item {
    pub(crate) name: String,
    /// Relative to the project's folder.
    pub(crate) path: PathBuf,
    pub(crate) is_folder: bool,
}

impl Item {
    /// The name without `.yaml` or `.yml`, for a manifest.
    pub(crate) fn manifest_stem(&self) -> Option<&str> {
        let is_yaml = |stem: &&str| !stem.is_empty() && !self.is_folder;
        self.name.strip_suffix(".yaml").or_else(|| self.name.strip_suffix(".yml")).filter(is_yaml)
    }
}

/// What lies in `root/path`, by name, without hidden files. A folder that does not exist is empty.
///
/// The walk never goes deeper than a project's known places, so a link that leads back up is harmless.
pub(crate) fn list(root: &Path, path: &Path, problems: &mut Vec<Problem>) -> Vec<Item> {
    let entries = match std::fs::read_dir(root.join(path)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            problems.push(explain(path, &error));
            return Vec::new();
        }
    };
    let mut items = Vec::new();
    for entry in entries {
        match entry.map_err(|error| explain(path, &error)).and_then(|entry| item(path, &entry)) {
            Ok(Some(item)) => items.push(item),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
        if items.len() > MAX_ENTRIES {
            let message = format!("the folder has more than {MAX_ENTRIES} entries");
            problems.push(Problem::of_file(path, message).help("is this really the project's folder?"));
            break;
        }
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    items
}

fn item(folder: &Path, entry: &std::fs::DirEntry) -> Result<Option<Item>, Problem> {
    let name = entry.file_name().into_string().map_err(|name| {
        Problem::of_file(&folder.join(&name), "the file's name is not UTF-8").help("rename the file")
    })?;
    if name.starts_with('.') || name.ends_with('~') {
        return Ok(None);
    }
    let path = folder.join(&name);
    let metadata = std::fs::metadata(entry.path()).map_err(|error| explain(&path, &error))?;
    Ok(Some(Item { name, path, is_folder: metadata.is_dir() }))
}
