//! The folders of a project in which a change can change it: those that a load lists, and folders of data in them.
//!
//! Invariant: no link is followed below the folders of a team, so the walk ends.

use std::path::{Path, PathBuf};

use crate::folder::{self, Item};
use crate::project::PROJECT_FILE;
use crate::project_files::ProjectFiles;

/// The folders of a project that are read; a data directory may lie beside them, which changes with every event.
pub(super) const AT_ROOT: [&str; 2] = ["teams", "platform"];
/// Of a project, a team, its folder `tables`, and folders of rows in it.
const MAX_DEPTH: usize = 6;
/// At most so many are watched.
const MAX_FOLDERS: usize = 10_000;

/// Each of the folders, relative to the project's, which is the first.
pub(super) fn of(files: &ProjectFiles) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for name in AT_ROOT {
        if files.is_folder(Path::new(name)).unwrap_or(false) {
            found.push(name.into());
        }
    }
    let mut next = 1;
    while next < found.len() && found.len() < MAX_FOLDERS {
        let folder = found[next].clone();
        next += 1;
        let depth = folder.components().count();
        if depth < MAX_DEPTH {
            // A team, or a folder of its kinds, may be a link.
            let may_be_link = depth < 3;
            let inner = list(files, &folder).into_iter().filter(|item| item.is_folder);
            found.extend(inner.filter(|item| may_be_link || !item.is_link).map(|item| item.path));
        }
    }
    found.truncate(MAX_FOLDERS);
    found
}

/// The files in one of them that a load may read.
pub(super) fn files(files: &ProjectFiles, folder: &Path) -> Vec<PathBuf> {
    if folder.as_os_str().is_empty() {
        return vec![PROJECT_FILE.into()];
    }
    list(files, folder).into_iter().filter(|item| !item.is_folder).map(|item| item.path).collect()
}

fn list(files: &ProjectFiles, folder: &Path) -> Vec<Item> {
    // What cannot be listed is said by the load.
    folder::list(files, folder, &mut Vec::new())
}
