//! Small JSON files that are replaced whole: a reader sees the old content or the new, never a mixture.

use std::io;
use std::path::{Path, PathBuf};

use factum_log::{Disk, write_atomically};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// More than any of these files ever holds; a larger one is not ours.
const MAX_BYTES: u64 = 1 << 20;

/// Why such a file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
    /// It could not be written; the old content, if any, is still there.
    #[error("write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
    /// It does not hold what it should.
    #[error("understand {}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// A later version wrote it.
    #[error("{} has format {found}; this version of factum knows {known}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: u32,
        /// What can be read.
        known: u32,
    },
}

/// A file's content, which names its own format.
pub(crate) trait VersionedFile {
    /// The format that this code reads and writes.
    const FORMAT: u32;

    /// The format that the content names.
    fn format(&self) -> u32;
}

/// Reads `path`; `None` if there is no such file.
pub(crate) fn read<T: DeserializeOwned + VersionedFile>(
    disk: &dyn Disk,
    path: &Path,
) -> Result<Option<T>, Error> {
    let bytes = match read_whole(disk, path) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
    };
    let content: T =
        serde_json::from_slice(&bytes).map_err(|source| Error::Parse { path: path.to_owned(), source })?;
    if content.format() != T::FORMAT {
        return Err(Error::Format { path: path.to_owned(), found: content.format(), known: T::FORMAT });
    }
    Ok(Some(content))
}

/// Replaces `path`; on disk when this returns.
pub(crate) fn write<T: Serialize>(disk: &dyn Disk, path: &Path, content: &T) -> Result<(), Error> {
    let mut bytes = serde_json::to_vec_pretty(content).expect("plain data always has a JSON form");
    bytes.push(b'\n');
    write_atomically(disk, path, &bytes).map_err(|source| Error::Write { path: path.to_owned(), source })
}

fn read_whole(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open_to_read(path)?;
    let length = file.size()?;
    if length > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{length} bytes are too many")));
    }
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], filled as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    Ok(bytes)
}
