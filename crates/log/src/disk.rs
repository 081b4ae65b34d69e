//! The seam to storage: every call on a data file goes through here.
//!
//! A power cut may take back whatever was not made durable: bytes until [`DiskFile::sync`], names (made,
//! renamed or removed) until [`Disk::sync_dir`] on their directory. The rules that follow from that are the
//! log's business; an implementation only does what it is told.
//!
//! Not here: memory maps (a full disk would be a signal, not an error), locks, temporary directories.

mod local;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use local::LocalDisk;

/// Something else lies where a file should be. It is in an [`io::Error`] of the kind `InvalidData`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is {found} and no file; move it away, and restore the file", printable_name(&path.to_string_lossy()))]
pub struct NotAFile {
    /// Where.
    pub path: PathBuf,
    /// What it is: `a named pipe`, `a symbolic link`.
    pub found: &'static str,
}

impl NotAFile {
    /// Whether `error`, or what caused it, is this.
    pub fn is_cause_of(error: &(dyn std::error::Error + 'static)) -> bool {
        let causes = std::iter::successors(Some(error), |error| error.source());
        causes
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|error| error.get_ref().is_some_and(|inner| inner.is::<Self>()))
    }
}

/// A file's or directory's name for people, on one line: it may hold any bytes.
pub fn printable_name(name: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    name.chars().map(escape).collect()
}

/// A place with directories and files.
pub trait Disk: Send + Sync + 'static {
    /// Opens an existing file for reading and writing.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none; [`NotAFile`] if it is something else; any other error of the disk.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens an existing file for reading alone; writing to it fails. For who may not write, or must not.
    ///
    /// # Errors
    /// Those of [`Disk::open`].
    fn open_to_read(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.open(path)
    }

    /// Makes an empty file that must not exist yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`]; any other error of the disk.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// The names in `dir`, in no particular order. One that is no UTF-8 is given in a readable form that names nothing.
    ///
    /// # Errors
    /// Any error of the disk.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes `dir` and what is missing above it; one that exists is fine.
    ///
    /// # Errors
    /// Any error of the disk.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Gives the file or directory `from` the name `to`, replacing a file of that name.
    ///
    /// # Errors
    /// Any error of the disk.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name; a holder of an open handle may go on reading.
    ///
    /// # Errors
    /// Any error of the disk.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory with all that is in it.
    ///
    /// # Errors
    /// Any error of the disk.
    fn remove_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Opens `dir` to make its names durable. Apart from the sync, because only a failed sync loses something.
    ///
    /// # Errors
    /// Any error of the disk; nothing is lost then.
    fn open_dir(&self, dir: &Path) -> io::Result<Box<dyn DiskDir>>;

    /// Makes the names in `dir` durable.
    ///
    /// # Errors
    /// Those of [`Disk::open_dir`] and [`DiskDir::sync`].
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.open_dir(dir)?.sync()
    }
}

/// An open directory.
pub trait DiskDir: Send + Sync {
    /// Makes the names in it durable (`fsync`).
    ///
    /// # Errors
    /// Any error of the disk. Names made, renamed or removed since the last sync may then be lost, whatever a
    /// second call says.
    fn sync(&self) -> io::Result<()>;
}

/// An open file. All calls are positional, so one handle serves many threads.
pub trait DiskFile: Send + Sync + 'static {
    /// Its length in bytes.
    ///
    /// # Errors
    /// Any error of the disk.
    fn size(&self) -> io::Result<u64>;

    /// Reads at `at` into `buffer`; fewer bytes than asked for may come, 0 only at the end.
    ///
    /// # Errors
    /// Any error of the disk.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `at`, growing the file as needed.
    ///
    /// # Errors
    /// Any error of the disk; some of `bytes` may then have been written.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Cuts or grows (with zeros) the file to `bytes`.
    ///
    /// # Errors
    /// Any error of the disk.
    fn set_len(&self, bytes: u64) -> io::Result<()>;

    /// Makes the contents and the length durable (`fdatasync`).
    ///
    /// # Errors
    /// Any error of the disk. What was written since the last sync is then lost for good: a second call may
    /// answer that all is well although it is not.
    fn sync(&self) -> io::Result<()>;
}

/// Replaces the file `path` by `bytes`, durably: a crash leaves the old contents or the new, nothing between.
///
/// # Errors
/// Any error of the disk; the old contents are then still there.
pub fn write_atomically(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (temporary, file) = create_beside(disk, path)?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    disk.rename(&temporary, path)?;
    disk.sync_dir(directory_of(path))
}

/// Makes `dir` and what is missing above it, durably: each new name is synced into its parent.
///
/// # Errors
/// Any error of the disk.
pub fn create_dir_durably(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let Some(parent) = dir.parent().filter(|_| disk.list(dir).is_err()) else { return Ok(()) };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    create_dir_durably(disk, parent)?;
    disk.create_dir_all(dir)?;
    disk.sync_dir(parent)
}

/// Replaces the file `path` by `bytes` without waiting for the disk: for checksummed caches only.
pub(crate) fn write_cache(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (temporary, file) = create_beside(disk, path)?;
    file.write_at(bytes, 0)?;
    disk.rename(&temporary, path)
}

/// The whole of `path`, or `None` if there is no such file.
pub(crate) fn read_file(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match disk.open_to_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let size = usize::try_from(file.size()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; size];
    let read = read_fully(&*file, &mut bytes, 0)?;
    bytes.truncate(read);
    Ok(Some(bytes))
}

/// Reads until `buffer` is full or the file ends; returns the bytes read.
pub(crate) fn read_fully(file: &dyn DiskFile, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Removes a file that may already be gone.
/// Removes the name of the file `path`, if there is one; durable with the next [`Disk::sync_dir`].
///
/// # Errors
/// Any error of the disk.
pub fn remove_if_there(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().expect("a data file lies in a directory")
}

pub(crate) fn create_beside(disk: &dyn Disk, path: &Path) -> io::Result<(PathBuf, Arc<dyn DiskFile>)> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let temporary = PathBuf::from(name);
    remove_if_there(disk, &temporary)?;
    let file = disk.create(&temporary)?;
    Ok((temporary, file))
}
