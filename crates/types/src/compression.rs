//! The codecs of record batches.
//!
//! Always holds: decompressing never yields, and never allocates, more than the caller's limit, whatever a
//! frame claims about itself. Compressing is for batches that Factum builds; what a client sent is kept as it came.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

/// Which bits of a batch's attributes name its codec.
const ATTRIBUTE_MASK: i16 = 0b111;
/// The level that `zstd` itself and Kafka's clients choose.
const ZSTD_LEVEL: i32 = 3;
/// The largest window that a stream may ask for, 16 MiB: more than any level below the "ultra" ones uses.
const ZSTD_WINDOW_LOG: u32 = 24;

/// How the records of a batch are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy blocks in the framing of `snappy-java` ("xerial"), or one bare block as other clients write it.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard (RFC 8878, KIP-110).
    Zstd,
}

/// The attributes of a batch name a codec that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no compression codec {code}")]
pub struct UnknownCompression {
    /// The code found.
    pub code: i16,
}

/// Why bytes could not be decompressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecompressError {
    /// They become more than was allowed.
    #[error("{codec} data is larger than {limit} bytes when decompressed")]
    TooLarge {
        /// The codec.
        codec: Compression,
        /// The most that was allowed.
        limit: usize,
    },
    /// They are not what the codec writes.
    #[error("{codec} data is corrupt: {reason}")]
    Corrupt {
        /// The codec.
        codec: Compression,
        /// What it says.
        reason: String,
    },
}

impl Compression {
    /// Every codec, by code.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The codec that a batch's attributes name.
    ///
    /// # Errors
    /// [`UnknownCompression`] for codes 5 to 7.
    pub fn from_attributes(attributes: i16) -> Result<Self, UnknownCompression> {
        let code = attributes & ATTRIBUTE_MASK;
        Self::ALL.into_iter().find(|codec| codec.code() == code).ok_or(UnknownCompression { code })
    }

    /// Kafka's configuration word, such as `gzip`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// The attribute bits.
    pub fn code(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// Compresses `bytes` as Kafka's own clients would.
    pub fn compress(self, bytes: &[u8]) -> Vec<u8> {
        let compressed = match self {
            Self::None => Ok(bytes.to_vec()),
            Self::Gzip => compress_gzip(bytes),
            Self::Snappy => Ok(xerial::compress(bytes)),
            Self::Lz4 => compress_lz4(bytes),
            Self::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL),
        };
        compressed.expect("compressing into memory does not fail")
    }

    /// Decompresses `bytes` into at most `limit` bytes.
    ///
    /// # Errors
    /// [`DecompressError::TooLarge`] as soon as the limit is passed, [`DecompressError::Corrupt`].
    pub fn decompress(self, bytes: &[u8], limit: usize) -> Result<Vec<u8>, DecompressError> {
        match self {
            Self::None if bytes.len() > limit => Err(DecompressError::TooLarge { codec: self, limit }),
            Self::None => Ok(bytes.to_vec()),
            Self::Gzip => self.read_within(MultiGzDecoder::new(bytes), limit),
            Self::Snappy => xerial::decompress(bytes, limit),
            Self::Lz4 => self.read_within(FrameDecoder::new(bytes), limit),
            Self::Zstd => {
                let decoder = zstd::Decoder::with_buffer(bytes).map_err(|e| self.corrupt(&e))?;
                self.read_within(decoder, limit)
            }
        }
    }

    /// Decompresses `bytes` as they are read, in bounded memory: 32 KiB beside what the codec needs.
    ///
    /// # Errors
    /// [`DecompressError::Corrupt`] if the beginning is wrong already; reading gives any later error.
    pub(crate) fn reader<'a>(self, bytes: &'a [u8]) -> Result<Box<dyn BufRead + 'a>, DecompressError> {
        const BUFFER_BYTES: usize = 32 << 10;
        Ok(match self {
            Self::None => Box::new(bytes),
            Self::Gzip => Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(bytes))),
            Self::Snappy => Box::new(BufReader::with_capacity(BUFFER_BYTES, xerial::Blocks::new(bytes)?)),
            Self::Lz4 => Box::new(BufReader::with_capacity(BUFFER_BYTES, FrameDecoder::new(bytes))),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(bytes).map_err(|e| self.corrupt(&e))?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(|e| self.corrupt(&e))?;
                Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))
            }
        })
    }

    fn read_within(self, source: impl Read, limit: usize) -> Result<Vec<u8>, DecompressError> {
        let mut out = Vec::new();
        let one_too_many = (limit as u64).saturating_add(1);
        source.take(one_too_many).read_to_end(&mut out).map_err(|e| self.corrupt(&e))?;
        if out.len() > limit {
            return Err(DecompressError::TooLarge { codec: self, limit });
        }
        Ok(out)
    }

    fn corrupt(self, reason: &dyn fmt::Display) -> DecompressError {
        DecompressError::Corrupt { codec: self, reason: reason.to_string() }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn compress_gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Independent 64 KiB blocks: the form that Kafka's Java client writes and every client reads.
fn compress_lz4(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(bytes)?;
    encoder.finish().map_err(io::Error::from)
}

/// The framing of `snappy-java`: a 16-byte header, then blocks, each behind its length (32 bits, big-endian).
mod xerial {
    use super::{Compression, DecompressError};

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

    /// Decompresses block by block.
    pub(super) struct Blocks<'a> {
        rest: &'a [u8],
        is_framed: bool,
        block: Vec<u8>,
        given: usize,
    }

    impl<'a> Blocks<'a> {
        pub(super) fn new(bytes: &'a [u8]) -> Result<Self, DecompressError> {
            let framed = bytes.strip_prefix(MAGIC);
            let rest = match framed {
                Some(framed) => framed.get(VERSIONS.len()..).ok_or_else(|| truncated("header"))?,
                None => bytes,
            };
            Ok(Self { rest, is_framed: framed.is_some(), block: Vec::new(), given: 0 })
        }

        /// Decompresses the next block in place of the last one.
        fn advance(&mut self) -> Result<(), DecompressError> {
            (self.given, self.block) = (0, Vec::new());
            let mut block = std::mem::take(&mut self.rest);
            if self.is_framed {
                let (length, tail) =
                    block.split_first_chunk::<4>().ok_or_else(|| truncated("block length"))?;
                let length = u32::from_be_bytes(*length) as usize;
                (block, self.rest) = tail.split_at_checked(length).ok_or_else(|| truncated("block"))?;
            }
            append_block(block, usize::MAX, &mut self.block)
        }
    }

    impl std::io::Read for Blocks<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            while self.given == self.block.len() && !self.rest.is_empty() {
                self.advance().map_err(std::io::Error::other)?;
            }
            let bytes = (self.block.len() - self.given).min(buffer.len());
            buffer[..bytes].copy_from_slice(&self.block[self.given..self.given + bytes]);
            self.given += bytes;
            Ok(bytes)
        }
    }

    pub(super) fn decompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, DecompressError> {
        let mut out = Vec::new();
        let Some(framed) = bytes.strip_prefix(MAGIC) else {
            append_block(bytes, limit, &mut out)?;
            return Ok(out);
        };
        let mut rest = framed.get(VERSIONS.len()..).ok_or_else(|| truncated("header"))?;
        while !rest.is_empty() {
            let (length, tail) = rest.split_first_chunk::<4>().ok_or_else(|| truncated("block length"))?;
            let length = u32::from_be_bytes(*length) as usize;
            let (block, tail) = tail.split_at_checked(length).ok_or_else(|| truncated("block"))?;
            append_block(block, limit, &mut out)?;
            rest = tail;
        }
        Ok(out)
    }

    fn append_block(block: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
        let codec = Compression::Snappy;
        let claimed = snap::raw::decompress_len(block).map_err(|e| codec.corrupt(&e))?;
        let start = out.len();
        if claimed > limit - start {
            return Err(DecompressError::TooLarge { codec, limit });
        }
        if claimed > block.len().saturating_mul(MAX_RATIO) {
            return Err(codec.corrupt(&"a block claims more than it can hold"));
        }
        out.resize(start + claimed, 0);
        snap::raw::Decoder::new().decompress(block, &mut out[start..]).map_err(|e| codec.corrupt(&e))?;
        Ok(())
    }

    fn truncated(what: &str) -> DecompressError {
        Compression::Snappy.corrupt(&format_args!("cut off inside a {what}"))
    }
}
