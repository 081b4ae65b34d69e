//! Snappy as Kafka's clients write it: the framing of `snappy-java` ("xerial"), or one bare block.
//!
//! ```text
//!   0x82 "SNAPPY" 0 │ version 1 │ readable by 1 │ (length: 32 bits, big-endian │ block) …
//! ```
//!
//! Invariants: a block is unpacked only if it can hold what it claims, so that memory follows the bytes present.

use std::io::{self, BufRead, Read};

const MAGIC: &[u8] = b"\x82SNAPPY\0";
/// Format version 1, readable by version 1.
const VERSIONS: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 1];
const BLOCK_BYTES: usize = 32 * 1024;
/// A copy element turns 3 bytes into 64 at the very most; a block that claims more lies.
const MAX_RATIO: usize = 22;

pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut out = [MAGIC, VERSIONS].concat();
    let mut encoder = snap::raw::Encoder::new();
    for block in bytes.chunks(BLOCK_BYTES) {
        let block = encoder.compress_vec(block).expect("a block is far below snappy's limit");
        let length = u32::try_from(block.len()).expect("a compressed block fits 32 bits");
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&block);
    }
    out
}

/// Unpacks block after block.
pub(super) struct Reader<S> {
    source: S,
    framing: Framing,
    /// The block unpacked last, and how much of it was given out.
    block: Vec<u8>,
    given: usize,
}

enum Framing {
    Unknown,
    Blocks,
    /// One bare block, which is the first and the last.
    Bare,
}

impl<S: BufRead> Reader<S> {
    pub(super) fn new(source: S) -> Self {
        Self { source, framing: Framing::Unknown, block: Vec::new(), given: 0 }
    }

    /// The next block into `self.block`; false at the end.
    fn next_block(&mut self) -> io::Result<bool> {
        let packed = match self.framing {
            Framing::Blocks => self.framed()?,
            Framing::Bare => None,
            Framing::Unknown => self.first()?,
        };
        let Some(packed) = packed else { return Ok(false) };
        let claimed = snap::raw::decompress_len(&packed).map_err(io::Error::other)?;
        if claimed > packed.len().saturating_mul(MAX_RATIO) {
            return Err(io::Error::other("a block claims more than it can hold"));
        }
        self.block.resize(claimed, 0);
        self.given = 0;
        snap::raw::Decoder::new().decompress(&packed, &mut self.block).map_err(io::Error::other)?;
        Ok(true)
    }

    fn first(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut head = Vec::new();
        (&mut self.source).take(MAGIC.len() as u64).read_to_end(&mut head)?;
        if head != MAGIC {
            self.framing = Framing::Bare;
            self.source.read_to_end(&mut head)?;
            return Ok(Some(head));
        }
        self.framing = Framing::Blocks;
        let mut versions = Vec::new();
        (&mut self.source).take(VERSIONS.len() as u64).read_to_end(&mut versions)?;
        if versions.len() < VERSIONS.len() {
            return Err(cut_off("header"));
        }
        self.framed()
    }

    fn framed(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut length = Vec::new();
        (&mut self.source).take(4).read_to_end(&mut length)?;
        if length.is_empty() {
            return Ok(None);
        }
        let length = <[u8; 4]>::try_from(length).map_err(|_| cut_off("block length"))?;
        let length = u64::from(u32::from_be_bytes(length));
        // Grows as far as there are bytes, whatever the length says.
        let mut packed = Vec::new();
        (&mut self.source).take(length).read_to_end(&mut packed)?;
        if (packed.len() as u64) < length {
            return Err(cut_off("block"));
        }
        Ok(Some(packed))
    }
}

impl<S: BufRead> Read for Reader<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.block.len() {
            if out.is_empty() || !self.next_block()? {
                return Ok(0);
            }
        }
        let rest = &self.block[self.given..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

fn cut_off(what: &str) -> io::Error {
    io::Error::other(format!("cut off inside a {what}"))
}
