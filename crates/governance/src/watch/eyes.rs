//! Notices of changes in a project's folder, from the system or by looking at intervals.

use std::path::Path;

use notify::{PollWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tracing::{error, warn};

use super::Options;
use crate::project::PROJECT_FILE;

/// Whatever tells of changes.
pub(super) struct Eyes {
    watcher: Option<Box<dyn Watcher + Send>>,
}

impl Eyes {
    pub(super) fn open(root: &Path, options: &Options, sender: &mpsc::Sender<()>) -> Self {
        let mut watcher: Option<Box<dyn Watcher + Send>> = None;
        if !options.always_poll {
            let made = notify::recommended_watcher(tell(root, sender)).and_then(|mut made| {
                made.watch(root, RecursiveMode::NonRecursive)?;
                Ok(made)
            });
            match made {
                Ok(made) => watcher = Some(Box::new(made)),
                Err(error) => warn!(%error, "the system gives no notice of changes; looking at intervals"),
            }
        }
        let watcher = watcher.or_else(|| {
            let config =
                notify::Config::default().with_poll_interval(options.poll).with_compare_contents(true);
            match PollWatcher::new(tell(root, sender), config) {
                Ok(made) => Some(Box::new(made) as Box<dyn Watcher + Send>),
                Err(error) => {
                    error!(%error, "changes to the project will not be seen until a restart");
                    None
                }
            }
        });
        let mut eyes = Self { watcher };
        eyes.look_anew(root);
        eyes
    }

    /// Watches the folders that hold manifests, and no others: a data directory inside the project changes with
    /// every event.
    pub(super) fn look_anew(&mut self, root: &Path) {
        let Some(watcher) = &mut self.watcher else { return };
        let places = [(root.to_owned(), RecursiveMode::NonRecursive)]
            .into_iter()
            .chain(["teams", "platform"].map(|name| (root.join(name), RecursiveMode::Recursive)));
        for (path, mode) in places.filter(|(path, _)| path.is_dir()) {
            if let Err(error) = watcher.watch(&path, mode) {
                warn!(%error, path = %path.display(), "cannot watch a folder of the project");
            }
        }
    }
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
    first.is_none_or(|first| first == PROJECT_FILE || first == "teams" || first == "platform")
}
