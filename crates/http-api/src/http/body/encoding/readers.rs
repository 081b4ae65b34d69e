//! Readers of packed bodies whose libraries' own readers do not say whether the body ends where the stream does.
//!
//! Invariant: a stream that ends before its body, or whose body ends before it, is an error; gzip and zstd do so by
//! themselves.

use std::io::{self, ErrorKind, Read};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};

/// Deflate (RFC 1951), by itself or in the zlib format (RFC 1950).
pub(super) struct DeflateReader<'a> {
    packed: &'a [u8],
    stream: Decompress,
    is_done: bool,
}

impl<'a> DeflateReader<'a> {
    pub(super) fn new(packed: &'a [u8], has_zlib_header: bool) -> Self {
        Self { packed, stream: Decompress::new(has_zlib_header), is_done: false }
    }
}

impl Read for DeflateReader<'_> {
    fn read(&mut self, unpacked: &mut [u8]) -> io::Result<usize> {
        if self.is_done {
            return Ok(0);
        }
        let (taken, given) = (self.stream.total_in(), self.stream.total_out());
        let status = self.stream.decompress(self.packed, unpacked, FlushDecompress::None)?;
        let length = |count: u64| usize::try_from(count).expect("within a slice");
        let written = length(self.stream.total_out() - given);
        self.packed = &self.packed[length(self.stream.total_in() - taken)..];
        match status {
            Status::StreamEnd => {
                self.is_done = true;
                ends_with(self.packed)?;
            }
            // All was taken, nothing came of it, and there was room.
            Status::Ok | Status::BufError if written == 0 => return Err(cut_off()),
            Status::Ok | Status::BufError => {}
        }
        Ok(written)
    }
}

/// Brotli (RFC 7932), with its windows of 16 MiB at most.
pub(super) struct BrotliReader<'a> {
    packed: &'a [u8],
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    is_done: bool,
}

impl<'a> BrotliReader<'a> {
    pub(super) fn new(packed: &'a [u8]) -> Self {
        let memory = StandardAlloc::default;
        let state = Box::new(BrotliState::new_strict(memory(), memory(), memory()));
        Self { packed, state, is_done: false }
    }
}

impl Read for BrotliReader<'_> {
    fn read(&mut self, unpacked: &mut [u8]) -> io::Result<usize> {
        if self.is_done {
            return Ok(0);
        }
        let (mut left, mut taken) = (self.packed.len(), 0);
        let (mut room, mut written, mut total) = (unpacked.len(), 0, 0);
        let state = &mut self.state;
        let result = BrotliDecompressStream(
            &mut left,
            &mut taken,
            self.packed,
            &mut room,
            &mut written,
            unpacked,
            &mut total,
            state,
        );
        self.packed = &self.packed[taken..];
        match result {
            BrotliResult::ResultSuccess => {
                self.is_done = true;
                ends_with(self.packed)?;
            }
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput if written > 0 => {}
            BrotliResult::NeedsMoreInput => return Err(cut_off()),
            BrotliResult::ResultFailure => {
                return Err(io::Error::new(ErrorKind::InvalidData, "no brotli stream"));
            }
        }
        Ok(written)
    }
}

fn cut_off() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "unexpected end of file")
}

fn ends_with(rest: &[u8]) -> io::Result<()> {
    match rest.len() {
        0 => Ok(()),
        1 => Err(io::Error::new(ErrorKind::InvalidData, "a byte follows behind its end")),
        more => Err(io::Error::new(ErrorKind::InvalidData, format!("{more} bytes follow behind its end"))),
    }
}
