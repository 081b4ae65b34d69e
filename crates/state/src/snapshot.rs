//! A task's rows and progress at one place of the journal, in a file of its own.
//!
//! ```text
//!   file   magic "FACTSNAP" │ block │ block │ … │ empty block
//!   block  length u32 │ CRC-32C u32 │ bytes                               little-endian
//!   first  journal offset u64 │ fence u64 │ name length u32 │ name │ progress
//!   others packed changes, all of them puts, up to about 1 MiB each
//! ```
//!
//! Always holds: a file under its final name is whole and durable; a reader accepts a file only if every
//! checksum fits and the empty block ends it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};
use factum_log::{Disk, DiskFile};
use factum_types::{Offset, batch};

use crate::epoch::Changes;
use crate::journal::{decode_progress, decode_task, encode_progress, encode_task};
use crate::{Fence, Progress, TableId, TaskId};

const MAGIC: &[u8; 8] = b"FACTSNAP";
const BLOCK_BYTES: usize = 1 << 20;
/// A block is cut at [`BLOCK_BYTES`] plus one row; no row is larger than this.
const LARGEST_BLOCK: usize = 1 << 30;
const EXTENSION: &str = "snapshot";

/// What stands in the first block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// Journal entries before this are contained.
    pub(crate) journal_offset: Offset,
    pub(crate) fence: Fence,
    pub(crate) task: TaskId,
    pub(crate) progress: Progress,
}

/// Writes a snapshot under a temporary name until [`Writer::finish`].
pub(crate) struct Writer {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    number: u64,
    file: Arc<dyn DiskFile>,
    at: u64,
    block: Changes,
}

impl Writer {
    pub(crate) fn create(
        disk: &Arc<dyn Disk>,
        directory: &Path,
        number: u64,
        head: &Head,
    ) -> io::Result<Self> {
        let file = disk.create(&unfinished(directory, number))?;
        file.write_at(MAGIC, 0)?;
        let mut writer = Self {
            disk: Arc::clone(disk),
            directory: directory.to_owned(),
            number,
            file,
            at: MAGIC.len() as u64,
            block: Changes::new(),
        };
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
        let path = self.directory.join(format!("{:020}.{EXTENSION}", self.number));
        self.disk.rename(&unfinished(&self.directory, self.number), &path)?;
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
        if reader.take(MAGIC.len())? != MAGIC.as_slice() {
            return Err(Error::Damaged { at: 0 });
        }
        let block = reader.block()?.ok_or(Error::Damaged { at: reader.at })?;
        let head = decode_head(block).ok_or(Error::Damaged { at: MAGIC.len() as u64 })?;
        Ok((reader, head))
    }

    /// The next block of packed changes; `None` at the end that the writer set.
    pub(crate) fn block(&mut self) -> Result<Option<Bytes>, Error> {
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
            Some((_, "unfinished")) => disk.remove_file(&directory.join(&name))?,
            _ => {}
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn unfinished(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:020}.unfinished"))
}

fn encode_head(head: &Head) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_u64_le(head.journal_offset.get().unsigned_abs());
    bytes.put_u64_le(head.fence.get());
    let name = encode_task(&head.task);
    bytes.put_u32_le(u32::try_from(name.len()).expect("a task's name is short"));
    bytes.put_slice(&name);
    let progress = &head.progress;
    encode_progress(&mut bytes, progress.epoch, progress.watermark, &progress.offsets, &progress.outbox);
    bytes
}

fn decode_head(mut bytes: Bytes) -> Option<Head> {
    if bytes.len() < 20 {
        return None;
    }
    let journal_offset = i64::try_from(bytes.get_u64_le()).ok().map(Offset::new)?;
    let fence = Fence::new(bytes.get_u64_le());
    let name_len = bytes.get_u32_le() as usize;
    if name_len > bytes.len() {
        return None;
    }
    let task = decode_task(&bytes.split_to(name_len)).ok()?;
    let progress = decode_progress(&mut bytes).ok()?;
    Some(Head { journal_offset, fence, task, progress })
}
