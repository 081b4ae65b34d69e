//! Notices of changes in a project's folder, from the system or by reading the files at intervals.
//!
//! Invariants: the folders that a load reads are watched before it reads them, so that no change falls in between; each
//! is watched by itself, because a watcher that walks into folders would follow a link to a file system that does not
//! answer, and wait there.
//!
//! Deliberately not here: how long it must be quiet before the folder is read.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tracing::{error, warn};

use super::folders;
use crate::project::PROJECT_FILE;
use crate::project_files::ProjectFiles;

/// How much of a file is compared where the system gives no notice; what is larger is no file of a project.
const MAX_COMPARED_BYTES: u64 = 8 << 20;

/// Whatever tells of changes.
#[derive(Debug)]
pub(super) struct FolderWatcher {
    /// `None` where the system gives none.
    notices: Option<Arc<Mutex<RecommendedWatcher>>>,
    /// What the files held when they were loaded last, where they are read at intervals.
    fingerprint: Option<u64>,
}

impl FolderWatcher {
    /// Tells `sender` of changes below `root`, once [`FolderWatcher::prepare`] was called.
    pub(super) fn new(root: &Path, always_poll: bool, sender: &mpsc::Sender<()>) -> Self {
        let made = (!always_poll).then(|| notify::recommended_watcher(tell(root, sender)));
        let notices = match made {
            Some(Ok(watcher)) => Some(Arc::new(Mutex::new(watcher))),
            Some(Err(error)) => {
                warn!(%error, "the system gives no notice of changes; looking at intervals");
                None
            }
            None => None,
        };
        Self { notices, fingerprint: None }
    }

    /// Whether it must be asked at intervals.
    pub(super) fn is_polling(&self) -> bool {
        self.fingerprint.is_some()
    }

    /// Makes ready for the files to be loaded: what changes from now on is told, or found. Blocking.
    pub(super) fn prepare(&mut self, files: &ProjectFiles) {
        let watched = self.notices.as_ref().map(|notices| watch(notices, files));
        if let Some(Err(error)) = &watched {
            error!(%error, "the system gives no notice of all changes; looking at intervals");
            self.notices = None;
        }
        let is_watched = matches!(watched, Some(Ok(true)));
        self.fingerprint = (!is_watched).then(|| fingerprint(files));
    }

    /// Whether the files differ from what they were when this was made ready. Blocking.
    pub(super) fn has_changed(&self, files: &ProjectFiles) -> bool {
        self.fingerprint.is_some_and(|before| before != fingerprint(files))
    }
}

/// Watches each folder of the project. One that is watched already is watched again: another may have come in its place.
/// `false` if the project's folder is not there, or gives no answer.
fn watch(notices: &Arc<Mutex<RecommendedWatcher>>, files: &ProjectFiles) -> io::Result<bool> {
    for folder in folders::of(files) {
        let notices = Arc::clone(notices);
        let is_root = folder.as_os_str().is_empty();
        // The watcher waits for the file system by itself, and all its notices with it.
        if !files.is_folder(&folder).unwrap_or(false) {
            match is_root {
                true => return Ok(false),
                false => continue,
            }
        }
        let watch = move |full: &Path| {
            let mut notices = notices.lock().unwrap_or_else(PoisonError::into_inner);
            match notices.watch(full, RecursiveMode::NonRecursive) {
                Ok(()) => Ok(true),
                // A folder that is gone since it was listed is told of by the one around it.
                Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) => Ok(!is_root),
                Err(error) => Err(io::Error::other(error)),
            }
        };
        if !files.ask(&folder, watch)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the files of the project hold, in short.
fn fingerprint(files: &ProjectFiles) -> u64 {
    let mut hasher = DefaultHasher::new();
    for folder in folders::of(files) {
        folder.hash(&mut hasher);
        for item in folders::files(files, &folder) {
            item.hash(&mut hasher);
            // Why a file cannot be read is part of what a load says of it.
            let read = files.read(&item, MAX_COMPARED_BYTES);
            read.map_err(|error| format!("{error:?}")).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Passes on that something changed; how often does not matter, so a full channel is as good.
fn tell(root: &Path, sender: &mpsc::Sender<()>) -> impl notify::EventHandler + use<> {
    let (root, sender) = (root.to_owned(), sender.clone());
    move |event: notify::Result<notify::Event>| {
        let concerns = match &event {
            Ok(event) if event.kind.is_access() => false,
            Ok(event) => event.need_rescan() || event.paths.iter().any(|path| is_manifest(&root, path)),
            Err(_) => true,
        };
        if concerns {
            sender.try_send(()).ok();
        }
    }
}

/// Whether a change of `path` can change the project.
fn is_manifest(root: &Path, path: &Path) -> bool {
    let Ok(inner) = path.strip_prefix(root) else { return true };
    // Editors write their swap files and backups beside the file.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with('.') || name.ends_with('~') {
        return false;
    }
    let first = inner.components().next().map(|first| first.as_os_str().to_owned());
    first.is_none_or(|first| first == PROJECT_FILE || folders::AT_ROOT.iter().any(|folder| first == **folder))
}
