//! Rows of a part of a table on disk, sorted and never changed: a run of a log-structured merge tree (O'Neil et al.
//! 1996), of which a part has one. To spill more, the run and the rows in memory are merged into another.
//!
//! ```text
//!   file   block │ block │ …                     block   key len u32 │ value len u32 │ key │ value │ …
//!   memory, per block: the mark of its first row, where it lies, its length, its CRC-32C
//! ```
//!
//! Invariants: rows are in the order of (mark, key), where the mark `M` is the key's hash in a hash table and the key
//! itself in an ordered one. A block whose checksum does not fit is an error, not a row. The file is gone when
//! the last hand on the run is.
//!
//! Not here: durability (see the spill), and open handles: a file is opened for each use, because there may be
//! thousands of runs and descriptors belong to the log first.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::BufMut;
use factum_log::{Disk, DiskFile};
use factum_types::batch;
use tracing::warn;

/// A block is cut at this many bytes plus one row.
const BLOCK_BYTES: usize = 16 << 10;
/// Bytes before the key of a row.
pub(crate) const ROW_HEADER: usize = 8;

/// A finished run.
pub(crate) struct Run<M> {
    path: FilePath,
    blocks: Vec<Block<M>>,
}

/// Where a block lies and what it begins with.
pub(crate) struct Block<M> {
    pub(crate) first: M,
    at: u64,
    pub(crate) length: usize,
    crc: u32,
}

/// A file that is removed when it is let go of.
struct FilePath {
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

impl Drop for FilePath {
    fn drop(&mut self) {
        if let Err(error) = self.disk.remove_file(&self.path) {
            warn!(path = %self.path.display(), %error, "a file of spilled rows stays until the next start");
        }
    }
}

impl<M> std::fmt::Debug for Run<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run({}, {} blocks)", self.path.path.display(), self.blocks.len())
    }
}

impl<M> Run<M> {
    /// Opens the file, for as many calls of [`Block::read`] as belong together.
    ///
    /// # Errors
    /// Any error of the disk.
    pub(crate) fn open(&self) -> io::Result<Arc<dyn DiskFile>> {
        self.path.disk.open(&self.path.path)
    }

    /// The blocks, in order.
    pub(crate) fn blocks(&self) -> &[Block<M>] {
        &self.blocks
    }

    /// Shows every row, in order.
    ///
    /// # Errors
    /// As [`Block::read`], and those of `visit`.
    pub(crate) fn scan(&self, mut visit: impl FnMut(&[u8], &[u8]) -> io::Result<()>) -> io::Result<()> {
        let file = self.open()?;
        for block in &self.blocks {
            let bytes = block.read(&*file)?;
            rows(&bytes).try_for_each(|row| row.and_then(|(key, value)| visit(key, value)))?;
        }
        Ok(())
    }

    /// Bytes of memory that the run takes, but for what marks point to.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Block<M>>()
    }

    /// Bytes of the file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.blocks.last().map_or(0, |last| last.at + last.length as u64)
    }
}

impl<M: Ord> Run<M> {
    /// The value under `key`, whose mark is `mark`, read from `file`, which [`Run::open`] gave.
    ///
    /// # Errors
    /// As [`Block::read`].
    pub(crate) fn get(&self, file: &dyn DiskFile, mark: &M, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        // Rows of one mark may begin in the block before the first that begins with it.
        let first = self.blocks.partition_point(|block| block.first < *mark).saturating_sub(1);
        for block in self.blocks[first..].iter().take_while(|block| block.first <= *mark) {
            if let Some(value) = block.get(file, key)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

impl<M> Block<M> {
    /// The value under `key`, if the block has it.
    ///
    /// # Errors
    /// As [`Block::read`].
    pub(crate) fn get(&self, file: &dyn DiskFile, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let bytes = self.read(file)?;
        for row in rows(&bytes) {
            let (found, value) = row?;
            if found == key {
                return Ok(Some(value.to_vec()));
            }
        }
        Ok(None)
    }

    /// Its bytes, for [`rows`].
    ///
    /// # Errors
    /// Any error of the disk; [`io::ErrorKind::InvalidData`] if the file is damaged.
    pub(crate) fn read(&self, file: &dyn DiskFile) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.length];
        let mut filled = 0;
        while filled < bytes.len() {
            match file.read_at(&mut bytes[filled..], self.at + filled as u64)? {
                0 => return Err(damaged()),
                read => filled += read,
            }
        }
        if batch::crc(&bytes) == self.crc { Ok(bytes) } else { Err(damaged()) }
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a file of spilled rows is damaged")
}

/// The rows of a block.
pub(crate) fn rows(mut bytes: &[u8]) -> impl Iterator<Item = io::Result<(&[u8], &[u8])>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let row = split_row(&mut bytes);
        if row.is_none() {
            bytes = &[];
        }
        Some(row.ok_or_else(damaged))
    })
}

fn split_row<'a>(bytes: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (head, rest) = bytes.split_first_chunk::<ROW_HEADER>()?;
    let key_len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let value_len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
    let (key, rest) = rest.split_at_checked(key_len)?;
    let (value, rest) = rest.split_at_checked(value_len)?;
    *bytes = rest;
    Some((key, value))
}

/// Writes a run; dropped before [`RunWriter::finish`], it removes the file.
pub(crate) struct RunWriter<M> {
    path: FilePath,
    file: Arc<dyn DiskFile>,
    blocks: Vec<Block<M>>,
    at: u64,
    block: Vec<u8>,
    first: Option<M>,
}

impl<M> RunWriter<M> {
    pub(crate) fn create(disk: &Arc<dyn Disk>, path: &Path) -> io::Result<Self> {
        let file = disk.create(path)?;
        let path = FilePath { disk: Arc::clone(disk), path: path.to_owned() };
        Ok(Self { path, file, blocks: Vec::new(), at: 0, block: Vec::new(), first: None })
    }

    /// Adds the next row in order.
    ///
    /// # Errors
    /// Any error of the disk.
    pub(crate) fn push(&mut self, mark: impl FnOnce() -> M, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.first.get_or_insert_with(mark);
        self.block.put_u32_le(u32::try_from(key.len()).map_err(io::Error::other)?);
        self.block.put_u32_le(u32::try_from(value.len()).map_err(io::Error::other)?);
        self.block.put_slice(key);
        self.block.put_slice(value);
        if self.block.len() < BLOCK_BYTES { Ok(()) } else { self.write_block() }
    }

    /// Bytes written by now.
    pub(crate) fn len(&self) -> u64 {
        self.at + self.block.len() as u64
    }

    /// The run, readable from now on.
    ///
    /// # Errors
    /// Any error of the disk.
    pub(crate) fn finish(mut self) -> io::Result<Run<M>> {
        self.write_block()?;
        self.blocks.shrink_to_fit();
        Ok(Run { path: self.path, blocks: self.blocks })
    }

    fn write_block(&mut self) -> io::Result<()> {
        let Some(first) = self.first.take() else { return Ok(()) };
        self.file.write_at(&self.block, self.at)?;
        let length = self.block.len();
        self.blocks.push(Block { first, at: self.at, length, crc: batch::crc(&self.block) });
        self.at += length as u64;
        self.block.clear();
        Ok(())
    }
}
