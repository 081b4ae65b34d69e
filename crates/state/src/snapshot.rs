//! A task's rows and progress at one place of the journal, in a file of its own (docs/format/state.md).
//!
//! ```text
//!   file   magic "FACTSNP2" │ block │ block │ … │ empty block
//!   block  length u32 │ CRC-32C u32 │ bytes                               little-endian
//!   first  generation u64 │ journal offset u64 │ fence u64 │ name length u32 │ name │ progress │ loss flag u8, loss
//!   others packed changes, all of them puts, up to about 1 MiB each
//! ```
//!
//! Invariants: a file under its final name is whole and durable; a reader accepts a file only if every
//! checksum fits and the empty block ends it. Format 1 ("FACTSNAP") had neither generation nor loss.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};
use factum_log::{Disk, DiskFile};
use factum_types::{Offset, batch};
use tracing::warn;

use crate::codec::{self, Take, Unreadable};
use crate::epoch::{self, Changes};
use crate::journal::{decode_task, encode_task};
use crate::{Fence, Loss, Progress, TableId, TaskId};

const MAGIC_1: &[u8; 8] = b"FACTSNAP";
const MAGIC: &[u8; 8] = b"FACTSNP2";
const BLOCK_BYTES: usize = 1 << 20;
/// A block is cut at [`BLOCK_BYTES`] plus one row; no row is larger than this.
const LARGEST_BLOCK: usize = 1 << 30;
const EXTENSION: &str = "snapshot";

/// What stands in the first block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The journal that the offset is of.
    pub(crate) generation: u64,
    /// Journal entries before this are contained.
    pub(crate) journal_offset: Offset,
    pub(crate) fence: Fence,
    pub(crate) task: TaskId,
    pub(crate) progress: Progress,
    /// A loss that no one has acknowledged.
    pub(crate) lost: Option<Loss>,
}

/// Writes a snapshot under a temporary name until [`Writer::finish`]; dropped before, it removes the file.
pub(crate) struct Writer {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    number: u64,
    file: Arc<dyn DiskFile>,
    at: u64,
    block: Changes,
    is_finished: bool,
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_finished {
            // What stays is removed at the next start.
            self.disk.remove_file(&unfinished(&self.directory, self.number)).ok();
        }
    }
}

impl Writer {
    pub(crate) fn create(
        disk: &Arc<dyn Disk>,
        directory: &Path,
        number: u64,
        head: &Head,
    ) -> io::Result<Self> {
        let file = disk.create(&unfinished(directory, number))?;
        let mut writer = Self {
            disk: Arc::clone(disk),
            directory: directory.to_owned(),
            number,
            file,
            at: MAGIC.len() as u64,
            block: Changes::new(),
            is_finished: false,
        };
        writer.file.write_at(MAGIC, 0)?;
        writer.write_block(&encode_head(head))?;
        Ok(writer)
    }

    pub(crate) fn row(&mut self, table: TableId, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.block.put(table, key, value);
        if self.block.as_bytes().len() < BLOCK_BYTES {
            return Ok(());
        }
        let block = std::mem::take(&mut self.block);
        self.write_block(block.as_bytes())
    }

    /// Makes the snapshot durable under its final name.
    pub(crate) fn finish(mut self) -> io::Result<PathBuf> {
        let rest = std::mem::take(&mut self.block);
        if !rest.is_empty() {
            self.write_block(rest.as_bytes())?;
        }
        self.write_block(&[])?;
        self.file.sync()?;
        let path = path(&self.directory, self.number);
        self.disk.rename(&unfinished(&self.directory, self.number), &path)?;
        self.is_finished = true;
        self.disk.sync_dir(&self.directory)?;
        Ok(path)
    }

    fn write_block(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut head = Vec::with_capacity(8);
        head.put_u32_le(u32::try_from(bytes.len()).map_err(io::Error::other)?);
        head.put_u32_le(batch::crc(bytes));
        self.file.write_at(&head, self.at)?;
        self.file.write_at(bytes, self.at + 8)?;
        self.at += 8 + bytes.len() as u64;
        Ok(())
    }
}

/// Why a snapshot file is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read the snapshot")]
    Io(#[from] io::Error),
    #[error("the snapshot is damaged at byte {at}")]
    Damaged { at: u64 },
    /// It is whole, of a later version of Factum.
    #[error("the snapshot was written by a later version")]
    Newer,
}

impl Error {
    /// Whether the file stays unusable, so that the task is better computed again; else reading it later may succeed.
    pub(crate) fn is_damage(&self) -> bool {
        const EIO: i32 = 5;
        match self {
            Self::Damaged { .. } => true,
            Self::Io(error) => error.raw_os_error() == Some(EIO),
            Self::Newer => false,
        }
    }
}

/// Reads a snapshot from its front; each block is verified before it is given out.
pub(crate) struct Reader {
    file: Arc<dyn DiskFile>,
    length: u64,
    at: u64,
}

impl Reader {
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<(Self, Head), Error> {
        let file = disk.open(path)?;
        let length = file.size()?;
        let mut reader = Self { file, length, at: 0 };
        let magic = reader.take(MAGIC.len())?;
        let is_first = magic == MAGIC_1.as_slice();
        if !is_first && magic != MAGIC.as_slice() {
            let is_newer = magic.strip_prefix(b"FACTSNP").is_some_and(|digit| digit[0].is_ascii_digit());
            return Err(if is_newer { Error::Newer } else { Error::Damaged { at: 0 } });
        }
        let mut block = reader.take_block()?.ok_or(Error::Damaged { at: reader.at })?;
        let head = decode_head(&mut block, is_first);
        Ok((reader, head.map_err(|Unreadable| Error::Damaged { at: MAGIC.len() as u64 })?))
    }

    /// The next block of packed changes; `None` at the end that the writer set.
    pub(crate) fn block(&mut self) -> Result<Option<Bytes>, Error> {
        let at = self.at;
        match self.take_block()? {
            Some(bytes) if !epoch::is_whole(&bytes) => Err(Error::Damaged { at }),
            block => Ok(block),
        }
    }

    fn take_block(&mut self) -> Result<Option<Bytes>, Error> {
        let at = self.at;
        let mut head = self.take(8)?;
        let (length, crc) = (head.get_u32_le() as usize, head.get_u32_le());
        if length > LARGEST_BLOCK {
            return Err(Error::Damaged { at });
        }
        let bytes = self.take(length)?;
        if batch::crc(&bytes) != crc {
            return Err(Error::Damaged { at });
        }
        Ok((length > 0).then_some(bytes))
    }

    fn take(&mut self, length: usize) -> Result<Bytes, Error> {
        if self.length.saturating_sub(self.at) < length as u64 {
            return Err(Error::Damaged { at: self.at });
        }
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.file.read_at(&mut bytes[filled..], self.at + filled as u64)? {
                0 => return Err(Error::Damaged { at: self.at }),
                read => filled += read,
            }
        }
        self.at += length as u64;
        Ok(bytes.into())
    }
}

/// The snapshots in `directory`, with their numbers; remains of unfinished ones are removed.
pub(crate) fn list(disk: &dyn Disk, directory: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for name in disk.list(directory)? {
        match name.split_once('.') {
            Some((number, EXTENSION)) => {
                found.extend(number.parse().ok().map(|number| (number, directory.join(&name))));
            }
            Some((_, "unfinished")) => {
                if let Err(error) = disk.remove_file(&directory.join(&name)) {
                    warn!(name, %error, "an unfinished snapshot cannot be removed");
                }
            }
            _ => {}
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Where the snapshot `number` lies.
pub(crate) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:020}.{EXTENSION}"))
}

fn unfinished(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:020}.unfinished"))
}

fn encode_head(head: &Head) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_u64_le(head.generation);
    bytes.put_u64_le(head.journal_offset.get().unsigned_abs());
    bytes.put_u64_le(head.fence.get());
    let name = encode_task(&head.task);
    bytes.put_u32_le(u32::try_from(name.len()).expect("a task's name is short"));
    bytes.put_slice(&name);
    codec::put_progress_of(&mut bytes, &head.progress);
    bytes.put_u8(u8::from(head.lost.is_some()));
    if let Some(loss) = &head.lost {
        codec::put_loss(&mut bytes, loss);
    }
    bytes
}

fn decode_head(bytes: &mut Bytes, is_first_format: bool) -> Result<Head, Unreadable> {
    let generation = if is_first_format { 0 } else { u64::take(bytes)? };
    let journal_offset = i64::try_from(u64::take(bytes)?).map_err(|_| Unreadable)?;
    let fence = Fence::new(u64::take(bytes)?);
    let name_len = u32::take(bytes)? as usize;
    if name_len > bytes.len() {
        return Err(Unreadable);
    }
    let task = decode_task(&bytes.split_to(name_len))?;
    let progress = codec::progress(bytes)?;
    let has_loss = !is_first_format && u8::take(bytes)? != 0;
    let lost = has_loss.then(|| codec::loss(bytes)).transpose()?;
    Ok(Head { generation, journal_offset: Offset::new(journal_offset), fence, task, progress, lost })
}
