//! A project's folder as the one place that its files are read from: within bounds, and never for long.
//!
//! A file on a network mount that is gone, or on a file system whose process hangs, gives no answer, and a thread that
//! asks for it cannot be stopped. So each question to the file system is asked on a thread that can be left behind
//! ([`TimedCalls`]).
//!
//! Invariants: nothing here takes longer than the time limit; a path without an answer is not asked for again until its
//! thread returns or something else lies there; once it returns, the reader of the project is told to read it again.
//! Only regular files of real file systems are read.
//!
//! Deliberately not here: what the files mean, and what is said of one that cannot be read.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use factum_base::timed_calls::{TimedCallError, TimedCalls};

/// How long a file may take to be read where no one says else.
pub(crate) const READ_LIMIT: Duration = Duration::from_secs(5);
/// How many paths can be without an answer before no further file is read.
const MAX_UNANSWERED: usize = 16;
/// While a path has no answer, the others are given this part of the time limit: a folder of files on one mount that
/// is gone must not keep a server from starting for a minute.
const SHARE_WHILE_UNANSWERED: u32 = 5;

/// The files of a project. Clones share what is known of paths without an answer.
#[derive(Debug, Clone)]
pub(crate) struct ProjectFiles {
    root: PathBuf,
    limit: Duration,
    calls: TimedCalls,
    unanswered: Arc<Mutex<HashMap<PathBuf, UnansweredPath>>>,
    late: LateAnswer,
}

/// What is called when a path answers after all.
#[derive(Clone)]
struct LateAnswer(Arc<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for LateAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LateAnswer")
    }
}

/// A path that was asked for and has not answered yet.
#[derive(Debug, Clone)]
struct UnansweredPath {
    /// What lay there, without following a link; `None` if not even that was answered.
    found: Option<Identity>,
    has_answered: Arc<AtomicBool>,
    waited: Duration,
}

/// Tells a file or link from another one at the same path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

/// An entry of a folder.
#[derive(Debug)]
pub(crate) struct FolderEntry {
    pub(crate) name: OsString,
    /// What it is; of a link what it leads to, or why that is not known.
    pub(crate) is_folder: io::Result<bool>,
    pub(crate) is_link: bool,
}

/// Why a file was not read.
#[derive(Debug)]
pub(crate) enum ReadFileError {
    /// It is a pipe, a device, a socket, a folder.
    NotRegular,
    /// It is made up by the kernel, such as `/proc/kmsg`.
    NotOnDisk,
    /// The system says no, or nothing ([`is_unanswered`]).
    Io(io::Error),
}

impl ProjectFiles {
    /// The files in `root`, each of which may take as long as `limit`. `late` is called when a path answers that was
    /// given up.
    pub(crate) fn new(root: PathBuf, limit: Duration, late: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            root,
            limit,
            calls: TimedCalls::at_most(MAX_UNANSWERED),
            unanswered: Arc::default(),
            late: LateAnswer(Arc::new(late)),
        }
    }

    /// The files in `root`, to be read once.
    pub(crate) fn once(root: &Path) -> Self {
        Self::new(root.to_owned(), READ_LIMIT, || ())
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The first `max_bytes` of a regular file, and one byte more if it is larger.
    pub(crate) fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, ReadFileError> {
        let read = self.ask(path, move |full| {
            // Looks before it opens: to open some things is to wait, or to act.
            if !fs::metadata(full)?.is_file() {
                return Ok(Err(ReadFileError::NotRegular));
            }
            let file = File::open(full)?;
            if is_made_up(&file)? {
                return Ok(Err(ReadFileError::NotOnDisk));
            }
            let mut bytes = Vec::new();
            file.take(max_bytes + 1).read_to_end(&mut bytes)?;
            Ok(Ok(bytes))
        });
        read.map_err(ReadFileError::Io)?
    }

    /// The entries of a folder, of which no more than `most` are read.
    pub(crate) fn list(&self, path: &Path, most: usize) -> io::Result<Vec<FolderEntry>> {
        let entries = self.ask(path, move |full| {
            let entry = |entry: io::Result<fs::DirEntry>| {
                let entry = entry?;
                io::Result::Ok((entry.file_name(), entry.file_type()?))
            };
            fs::read_dir(full)?.take(most).map(entry).collect::<io::Result<Vec<_>>>()
        })?;
        let entries = entries.into_iter().map(|(name, kind)| {
            let is_link = kind.is_symlink();
            // Hidden files are no one's to follow.
            let is_folder = match is_link && !name.as_encoded_bytes().starts_with(b".") {
                true => self.is_folder(&path.join(&name)),
                false => Ok(kind.is_dir()),
            };
            FolderEntry { name, is_folder, is_link }
        });
        Ok(entries.collect())
    }

    /// Whether a folder is there; a link counts as what it leads to.
    pub(crate) fn is_folder(&self, path: &Path) -> io::Result<bool> {
        self.ask(path, |full| Ok(fs::metadata(full)?.is_dir()))
    }

    /// Whether a symbolic link is there, wherever it leads.
    pub(crate) fn is_link(&self, path: &Path) -> bool {
        self.ask(path, |full| Ok(fs::symlink_metadata(full)?.is_symlink())).unwrap_or(false)
    }

    /// Whether anything is there.
    pub(crate) fn exists(&self, path: &Path) -> io::Result<bool> {
        self.ask(path, Path::try_exists)
    }

    /// The path without links and dots.
    pub(crate) fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        self.ask(path, Path::canonicalize)
    }

    /// Asks the file system for `root/path`.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        path: &Path,
        question: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let full = self.root.join(path);
        if let Some(waited) = self.unanswered(&full) {
            return Err(no_answer(&TimedCallError::NoAnswer(waited)));
        }
        let found = Arc::new(OnceLock::new());
        let seen = Arc::clone(&found);
        self.call(full, &found, move |full| {
            // What is not there is said by the question itself.
            if let Ok(metadata) = fs::symlink_metadata(full) {
                seen.set(Identity::of(&metadata)).expect("it is set here alone");
            }
            question(full)
        })
    }

    /// How long was waited for the answer of a path that still has none.
    fn unanswered(&self, full: &Path) -> Option<Duration> {
        let known = lock(&self.unanswered).get(full).cloned()?;
        let still = match known.found {
            _ if known.has_answered.load(Ordering::Acquire) => false,
            None => true,
            Some(found) => {
                let look = |full: &Path| Ok(Identity::of(&fs::symlink_metadata(full)?));
                let now = self.call(full.to_owned(), &OnceLock::new(), look);
                now.as_ref().is_ok_and(|now| *now == found) || now.is_err_and(|error| is_unanswered(&error))
            }
        };
        if !still {
            lock(&self.unanswered).remove(full);
        }
        still.then_some(known.waited)
    }

    fn call<T: Send + 'static>(
        &self,
        full: PathBuf,
        found: &OnceLock<Identity>,
        question: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let waits = lock(&self.unanswered).values().any(|it| !it.has_answered.load(Ordering::Acquire));
        let limit = if waits { self.limit / SHARE_WHILE_UNANSWERED } else { self.limit };
        let has_answered = Arc::new(AtomicBool::new(false));
        let (answered, late) = (Arc::clone(&has_answered), self.late.clone());
        let late = move || {
            answered.store(true, Ordering::Release);
            (late.0)();
        };
        let asked = full.clone();
        match self.calls.call(limit, move || question(&asked), late) {
            Ok(answer) => answer,
            Err(error) => {
                if let TimedCallError::NoAnswer(waited) = error {
                    let new = UnansweredPath { found: found.get().copied(), has_answered, waited };
                    let mut unanswered = lock(&self.unanswered);
                    unanswered.retain(|_, known| !known.has_answered.load(Ordering::Acquire));
                    unanswered.insert(full, new);
                }
                Err(no_answer(&error))
            }
        }
    }
}

impl Identity {
    fn of(metadata: &fs::Metadata) -> Self {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Self { device: metadata.dev(), inode: metadata.ino(), changed }
    }
}

/// Whether the error is that there was no answer in time, or that too many others have none.
pub(crate) fn is_unanswered(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none()
}

fn no_answer(error: &TimedCallError) -> io::Error {
    let message = match error {
        TimedCallError::NoAnswer(waited) => format!("no answer in {} s", waited.as_secs_f64()),
        TimedCallError::Busy(count) => format!("{count} other reads of the project have no answer"),
        TimedCallError::NoThread(error) => format!("no thread to read it on: {error}"),
    };
    io::Error::new(io::ErrorKind::TimedOut, message)
}

/// Whether the kernel makes the file up: such files are regular, say that they are empty, and some wait when they are
/// read (`/proc/kmsg`), some hold secrets (`/proc/self/environ`).
#[cfg(target_os = "linux")]
fn is_made_up(file: &File) -> io::Result<bool> {
    /// proc, sysfs, debugfs and tracefs, as in `statfs(2)`.
    const MADE_UP: [i64; 4] = [0x9fa0, 0x6265_6572, 0x6462_6720, 0x7472_6163];
    let kind = rustix::fs::fstatfs(file)?.f_type;
    Ok(MADE_UP.iter().any(|made_up| i128::from(kind) == i128::from(*made_up)))
}

#[cfg(not(target_os = "linux"))]
fn is_made_up(_: &File) -> io::Result<bool> {
    Ok(false)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
