//! Rows of one shard on disk, sorted and never changed: a run of a log-structured merge tree (O'Neil et al. 1996),
//! of which a shard has one. To spill more, the run and the rows in memory are merged into another.
//!
//! ```text
//!   file   block │ block │ …                     block   key len u32 │ value len u32 │ key │ value │ …
//!   memory, per block: the first hash, where it lies, its length, its CRC-32C
//! ```
//!
//! Invariants: rows are in the order of (hash of the key, key). A block whose checksum does not fit is an error,
//! not a row. The file is gone when the last hand on the run is.
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

use crate::arena::hash;

/// A block is cut at this many bytes plus one row.
const BLOCK_BYTES: usize = 16 << 10;
const ROW_HEADER: usize = 8;

/// A finished run.
pub(crate) struct Run {
    path: FilePath,
    blocks: Vec<Block>,
}

/// Where a block lies and what it begins with.
struct Block {
    first_hash: u64,
    at: u64,
    length: usize,
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

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run({}, {} blocks)", self.path.path.display(), self.blocks.len())
    }
}

impl Run {
    /// Opens the file, for as many calls of [`Run::get`] as belong together.
    ///
    /// # Errors
    /// Any error of the disk.
    pub(crate) fn open(&self) -> io::Result<Arc<dyn DiskFile>> {
        self.path.disk.open(&self.path.path)
    }

    /// The value under `key`, read from `file`, which [`Run::open`] gave.
    ///
    /// # Errors
    /// Any error of the disk; [`io::ErrorKind::InvalidData`] if the file is damaged.
    pub(crate) fn get(&self, file: &dyn DiskFile, hash: u64, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        // Rows of one hash may begin in the block before the first that begins with it.
        let first = self.blocks.partition_point(|block| block.first_hash < hash).saturating_sub(1);
        for block in self.blocks[first..].iter().take_while(|block| block.first_hash <= hash) {
            let bytes = block.read(file)?;
            for row in rows(&bytes) {
                let (found, value) = row?;
                if found == key {
                    return Ok(Some(value.to_vec()));
                }
            }
        }
        Ok(None)
    }

    /// Shows every row, in order.
    ///
    /// # Errors
    /// As [`Run::get`], and those of `visit`.
    pub(crate) fn scan(&self, mut visit: impl FnMut(&[u8], &[u8]) -> io::Result<()>) -> io::Result<()> {
        let file = self.open()?;
        for block in &self.blocks {
            let bytes = block.read(&*file)?;
            rows(&bytes).try_for_each(|row| row.and_then(|(key, value)| visit(key, value)))?;
        }
        Ok(())
    }

    /// Bytes of memory that the run takes.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>()
    }
}

impl Block {
    fn read(&self, file: &dyn DiskFile) -> io::Result<Vec<u8>> {
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
fn rows(mut bytes: &[u8]) -> impl Iterator<Item = io::Result<(&[u8], &[u8])>> {
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
pub(crate) struct RunWriter {
    path: FilePath,
    file: Arc<dyn DiskFile>,
    blocks: Vec<Block>,
    at: u64,
    block: Vec<u8>,
    first_hash: u64,
}

impl RunWriter {
    pub(crate) fn create(disk: &Arc<dyn Disk>, path: &Path) -> io::Result<Self> {
        let file = disk.create(path)?;
        let path = FilePath { disk: Arc::clone(disk), path: path.to_owned() };
        Ok(Self { path, file, blocks: Vec::new(), at: 0, block: Vec::new(), first_hash: 0 })
    }

    /// Adds the next row in order.
    ///
    /// # Errors
    /// Any error of the disk.
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        if self.block.is_empty() {
            self.first_hash = hash(key);
        }
        self.block.put_u32_le(u32::try_from(key.len()).map_err(io::Error::other)?);
        self.block.put_u32_le(u32::try_from(value.len()).map_err(io::Error::other)?);
        self.block.put_slice(key);
        self.block.put_slice(value);
        if self.block.len() < BLOCK_BYTES { Ok(()) } else { self.write_block() }
    }

    /// The run, readable from now on.
    ///
    /// # Errors
    /// Any error of the disk.
    pub(crate) fn finish(mut self) -> io::Result<Run> {
        if !self.block.is_empty() {
            self.write_block()?;
        }
        self.blocks.shrink_to_fit();
        Ok(Run { path: self.path, blocks: self.blocks })
    }

    fn write_block(&mut self) -> io::Result<()> {
        self.file.write_at(&self.block, self.at)?;
        let length = self.block.len();
        let crc = batch::crc(&self.block);
        self.blocks.push(Block { first_hash: self.first_hash, at: self.at, length, crc });
        self.at += length as u64;
        self.block.clear();
        Ok(())
    }
}
