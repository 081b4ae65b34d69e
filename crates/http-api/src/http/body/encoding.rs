//! `Content-Encoding` of requests: gzip, deflate, br and zstd (RFC 9110 §8.4.1, RFC 7932, RFC 8878).
//!
//! Invariants: a body unpacks to at most the limit of bodies, and room for it is counted before it is made, so that
//! a small body cannot become a large one unseen; a body is decoded wholly or refused, and what it says it is ends
//! exactly where it ends.
//!
//! Not here: responses, which are not compressed.

mod readers;

use std::io::{self, BufReader, Read};

use axum::http::{HeaderMap, HeaderValue, header};
use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;

use super::memory::Room;
use crate::http::problem::Problem;

use readers::{BrotliReader, DeflateReader};

/// The encodings that are decoded, as `Accept-Encoding` lists them.
pub(crate) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, deflate, br, zstd");
/// The most memory that a zstd frame may ask for: 8 MiB, which RFC 8878 recommends to support at least.
const ZSTD_WINDOW_LOG: u32 = 23;
/// Bytes unpacked at once.
const PIECE_BYTES: usize = 64 << 10;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    /// The zlib format; without its header, as some clients send it, too.
    Deflate,
    Brotli,
    Zstd,
}

impl Encoding {
    /// Reads the encoding off a request's headers; `None` if the body is as it is.
    ///
    /// One encoding is taken: a body that was packed twice is no smaller, and nobody sends it but to burn time.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut found = None;
        for value in headers.get_all(header::CONTENT_ENCODING) {
            let text = value.to_str().map_err(|_| unsupported("which is not ASCII"))?;
            for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let encoding = match name.to_ascii_lowercase().as_str() {
                    "identity" => continue,
                    "gzip" | "x-gzip" => Self::Gzip,
                    "deflate" => Self::Deflate,
                    "br" => Self::Brotli,
                    "zstd" => Self::Zstd,
                    _ => return Err(unsupported(name)),
                };
                if found.replace(encoding).is_some() {
                    return Err(unsupported(text));
                }
            }
        }
        Ok(found)
    }

    /// Unpacks `packed` to at most `limit` bytes, which `room` then holds as well.
    pub(super) fn decode(self, packed: &Bytes, limit: usize, room: &mut Room) -> Result<Bytes, Problem> {
        let mut reader = self.reader(packed).map_err(|error| self.malformed(&error))?;
        let mut unpacked = BytesMut::new();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = match reader.read(&mut piece) {
                Ok(0) => return Ok(unpacked.freeze()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.malformed(&error)),
            };
            if unpacked.len() + read > limit {
                let detail = format!("the body is larger than {limit} bytes once it is unpacked");
                return Err(Problem::too_large(detail, limit));
            }
            room.try_grow(read)?;
            unpacked.extend_from_slice(&piece[..read]);
        }
    }

    fn reader<'a>(self, packed: &'a Bytes) -> io::Result<Box<dyn Read + 'a>> {
        let packed: &[u8] = packed;
        Ok(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Deflate => Box::new(DeflateReader::new(packed, has_zlib_header(packed))),
            Self::Brotli => Box::new(BrotliReader::new(packed)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(BufReader::new(packed))?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
        })
    }

    fn malformed(self, error: &io::Error) -> Problem {
        let name = match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        };
        Problem::malformed(format_args!("content-encoding is {name}, but the body is not: {error}"))
            .with("header", "content-encoding")
    }
}

/// The first two bytes of the zlib format (RFC 1950 §2.2): deflate, and a multiple of 31.
fn has_zlib_header(packed: &[u8]) -> bool {
    matches!(packed, [method, flags, ..]
        if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

fn unsupported(name: &str) -> Problem {
    Problem::unsupported(format_args!("content-encoding is {name}; send one of gzip, deflate, br and zstd"))
        .with("header", "content-encoding")
        .accepting(ACCEPTED)
}
