//! The codecs of record batches.
//!
//! Invariants: decompressing never yields more than the caller asks for, and never allocates more than the codec's
//! window for it, whatever a frame claims about itself. Compressing is for batches that Factum builds; what a client
//! sent is kept as it came.

mod xerial;

use std::fmt;
use std::io::{self, BufRead, Read, Write};

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

/// Which bits of a batch's attributes name its codec.
const ATTRIBUTE_MASK: i16 = 0b111;
/// The level that `zstd` itself and Kafka's clients choose.
const ZSTD_LEVEL: i32 = 3;

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
        let mut out = Vec::new();
        let one_too_many = (limit as u64).saturating_add(1);
        let mut source = self.reader(bytes)?.take(one_too_many);
        source.read_to_end(&mut out).map_err(|error| self.corrupt(&error))?;
        if out.len() > limit {
            return Err(DecompressError::TooLarge { codec: self, limit });
        }
        Ok(out)
    }

    /// A stream of what `source` holds compressed. Memory: the codec's window, which is 128 MiB at most for zstd and
    /// touched only as far as data fills it, one block for snappy and LZ4, 32 KiB for gzip.
    ///
    /// Its errors say what the codec says; [`Compression::corrupt`] gives them their place.
    pub(crate) fn reader<'a>(
        self,
        source: impl BufRead + Send + 'a,
    ) -> Result<Box<dyn Read + Send + 'a>, DecompressError> {
        Ok(match self {
            Self::None => Box::new(source),
            Self::Gzip => Box::new(MultiGzDecoder::new(source)),
            Self::Snappy => Box::new(xerial::Reader::new(source)),
            Self::Lz4 => Box::new(FrameDecoder::new(source)),
            Self::Zstd => Box::new(zstd::Decoder::with_buffer(source).map_err(|e| self.corrupt(&e))?),
        })
    }

    pub(crate) fn corrupt(self, reason: &dyn fmt::Display) -> DecompressError {
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
