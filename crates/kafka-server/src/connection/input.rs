//! Bytes on their way in, cut into frames.
//!
//! ```text
//!   0      4                      4+length
//!   ├──────┼──────────────────────┼──────┼─ …
//!   length request                length request …
//! ```
//!
//! Invariants:
//! - Memory follows bytes that arrived, or the next step of them; never a length alone. The buffer is made
//!   larger than that, up to four times, so that it is seldom copied; what was not written to takes no memory.
//! - An idle connection holds no buffer.
//! - A whole frame is handed out without a copy.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::AsyncRead;

use super::request_memory::FREE_BYTES;

/// Bytes of the length before each request.
const PREFIX_BYTES: usize = 4;
/// What is read before anything is known of a frame.
const FIRST_READ_BYTES: usize = 2 * 1024;
/// What is read at once while requests keep coming; batches small beside it are copied when they are kept.
pub(crate) const READ_BYTES: usize = 64 * 1024;
/// A frame is read in steps of what is there of it, but of so much at most.
const LARGEST_STEP_BYTES: usize = 1024 * 1024;
/// So many times what is there of a frame is made room for at once.
const GROWTH: usize = 3;
/// Less room than this is not worth a read.
const LEAST_ROOM_BYTES: usize = 512;

/// Bytes at the front that no request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    /// Too long for a request, but the start of another protocol: this is not the port that the client wants.
    #[error("it speaks {protocol}, and this is the Kafka port, in plain text")]
    Foreign {
        /// What it speaks.
        protocol: &'static str,
    },
    /// The length is negative.
    #[error("request length {length} is negative")]
    Negative {
        /// What the prefix says.
        length: i32,
    },
    /// The length is above the limit.
    #[error("request of {length} bytes is longer than {limit}")]
    TooLong {
        /// What the prefix says.
        length: usize,
        /// The most that is taken.
        limit: usize,
    },
}

/// The other protocol that begins so; as a length each of these is above 300 MB.
fn foreign(prefix: [u8; PREFIX_BYTES]) -> Option<&'static str> {
    match &prefix {
        b"GET " | b"POST" | b"PUT " | b"HEAD" | b"DELE" | b"PATC" | b"OPTI" | b"PRI " => Some("HTTP"),
        [0x16, 0x03, ..] => Some("TLS"),
        _ => None,
    }
}

/// The buffer of one connection.
#[derive(Debug)]
pub(super) struct Input {
    buffer: BytesMut,
    limit: usize,
    /// The last read filled its space: more is probably there.
    is_busy: bool,
}

impl Input {
    /// An empty buffer for frames of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), limit, is_busy: false }
    }

    /// Takes frames of at most `limit` bytes from now on.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The length of the frame at the front, once its prefix is there.
    pub(super) fn frame_len(&self) -> Result<Option<usize>, FrameError> {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
        let length = i32::from_be_bytes(*prefix);
        let Ok(len) = usize::try_from(length) else { return Err(FrameError::Negative { length }) };
        if len > self.limit {
            return Err(match foreign(*prefix) {
                Some(protocol) => FrameError::Foreign { protocol },
                None => FrameError::TooLong { length: len, limit: self.limit },
            });
        }
        Ok(Some(len))
    }

    /// Whether a frame of `len` bytes is there as a whole.
    pub(super) fn is_whole(&self, len: usize) -> bool {
        self.buffer.len() >= PREFIX_BYTES + len
    }

    /// Whether any byte is there.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Bytes that are there.
    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// How many bytes of a frame of `len` bytes have yet to come.
    pub(super) fn missing(&self, len: usize) -> usize {
        (PREFIX_BYTES + len).saturating_sub(self.buffer.len())
    }

    /// How many bytes are worth reading at once when `missing` bytes of a frame have yet to come; 0 if that is
    /// not known.
    pub(super) fn step(&self, missing: usize) -> usize {
        let there = self.buffer.len().clamp(FREE_BYTES, LARGEST_STEP_BYTES);
        missing.min(there).max(self.read_ahead())
    }

    fn read_ahead(&self) -> usize {
        if self.is_busy { READ_BYTES } else { FIRST_READ_BYTES }
    }

    /// Splits off the frame at the front, which is whole and has `len` bytes.
    pub(super) fn take_frame(&mut self, len: usize) -> BytesMut {
        self.buffer.advance(PREFIX_BYTES);
        let frame = self.buffer.split_to(len);
        if self.buffer.is_empty() && !self.is_busy {
            self.buffer = BytesMut::new();
        }
        frame
    }

    /// Reads once, at most `step` bytes, of a frame of which `missing` bytes have yet to come.
    /// `Ok(0)` is the end of the stream.
    pub(super) fn poll_read<S: AsyncRead>(
        &mut self,
        stream: Pin<&mut S>,
        step: usize,
        missing: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.make_room(step, missing);
        let room = (self.buffer.capacity() - self.buffer.len()).min(step);
        let polled = tokio_util::io::poll_read_buf(stream, cx, &mut (&mut self.buffer).limit(step));
        match &polled {
            Poll::Ready(Ok(read)) => self.is_busy = *read == room,
            Poll::Ready(Err(_)) | Poll::Pending => self.release_if_idle(),
        }
        polled
    }

    fn make_room(&mut self, step: usize, missing: usize) {
        let room = self.buffer.capacity() - self.buffer.len();
        let is_short =
            if missing == 0 { room < LEAST_ROOM_BYTES.min(step) } else { room < missing.min(step) };
        if is_short {
            self.buffer.reserve(missing.min(GROWTH * self.buffer.len()).max(step));
        }
    }

    /// Gives memory back while nothing is coming.
    fn release_if_idle(&mut self) {
        if self.buffer.is_empty() {
            self.is_busy = false;
            self.buffer = BytesMut::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_of_another_protocol_is_told_from_one_with_a_large_request() {
        let said = |first: &[u8]| {
            let mut input = Input::new(64 * 1024);
            input.buffer.extend_from_slice(first);
            input.frame_len().map_err(|error| error.to_string())
        };
        assert_eq!(
            said(b"GET / HTTP/1.1").unwrap_err(),
            "it speaks HTTP, and this is the Kafka port, in plain text"
        );
        assert_eq!(
            said(&[0x16, 3, 1, 0]).unwrap_err(),
            "it speaks TLS, and this is the Kafka port, in plain text"
        );
        assert_eq!(said(&[0, 1, 0, 1]).unwrap_err(), "request of 65537 bytes is longer than 65536");
        assert_eq!(said(&[0, 1, 0, 0]), Ok(Some(65536)));
    }
}
