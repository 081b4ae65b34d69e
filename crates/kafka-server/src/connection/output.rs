//! Bytes on their way out: responses end to end, written many pieces at a time and never copied.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::addresses::SharedByAddress;
use super::budget::Budget;
use crate::wire::Rope;

/// What one connection has yet to send, in order. Always counted in the [`Budget`], also when dropped.
#[derive(Debug)]
pub(super) struct Output {
    rope: Rope,
    /// What was written is still with the stream, which encrypts it, and not with the socket.
    is_unflushed: bool,
    budget: Arc<Budget>,
    address: Arc<SharedByAddress>,
}

impl Output {
    pub(super) fn new(budget: Arc<Budget>, address: Arc<SharedByAddress>) -> Self {
        Self { rope: Rope::default(), is_unflushed: false, budget, address }
    }

    /// Whether everything was sent.
    pub(super) fn is_empty(&self) -> bool {
        self.rope.is_empty() && !self.is_unflushed
    }

    /// Puts `response` behind what is there.
    pub(super) fn push(&mut self, response: Rope) {
        self.budget.add_unsent(&self.address, response.len());
        if self.rope.is_empty() {
            self.rope = response;
            return;
        }
        for piece in response.pieces() {
            self.rope.push(piece.clone());
        }
    }

    /// Writes once, or passes on what was written; gives the bytes written.
    pub(super) fn poll_write<S: AsyncWrite>(
        &mut self,
        stream: Pin<&mut S>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.rope.is_empty() {
            ready!(stream.poll_flush(cx))?;
            self.is_unflushed = false;
            return Poll::Ready(Ok(0));
        }
        let written = ready!(tokio_util::io::poll_write_buf(stream, cx, &mut self.rope))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.is_unflushed = true;
        self.budget.sent(&self.address, written);
        if self.rope.is_empty() {
            self.rope = Rope::default();
        }
        Poll::Ready(Ok(written))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.budget.sent(&self.address, self.rope.len());
    }
}
