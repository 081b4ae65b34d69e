//! Requests that were begun and not yet answered.
//!
//! ```text
//!   begun ──▶ │ produce │ produce │ produce │ fetch │ ──▶ answers, in the order of the requests
//!               front                        begins when it is at the front, and nothing is begun behind it
//! ```
//!
//! Invariants:
//! - Answers leave in the order in which the requests came.
//! - A request that must be done in its turn starts after all before it were answered; only a pipelined one
//!   (a produce, whose records are appended already) waits beside others.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures::future::BoxFuture;

use crate::messages::ApiKey;
use crate::wire::Rope;

/// Requests begun at once on one connection, however small.
const MAX_REQUESTS: usize = 256;

/// How a request is being answered.
pub(crate) enum Answer {
    /// It is.
    Ready(Rope),
    /// What it does was begun; others may begin beside it.
    Pipelined(BoxFuture<'static, Rope>),
    /// To be done when all before it were answered.
    InTurn {
        /// Does it.
        answer: BoxFuture<'static, Rope>,
        /// It may only be waiting for what others do: it need not be finished for a client that has gone.
        is_patient: bool,
    },
}

/// A request that was begun.
pub(super) struct Request {
    pub(super) api: ApiKey,
    pub(super) len: usize,
    pub(super) begun_at: Instant,
    pub(super) answer: Answer,
}

/// A request with its response.
pub(super) struct RequestWithResponse {
    pub(super) api: ApiKey,
    pub(super) begun_at: Instant,
    pub(super) response: Rope,
}

/// The queue of one connection.
pub(super) struct Pending {
    queue: VecDeque<Request>,
    bytes: usize,
    limit: usize,
}

impl Pending {
    /// An empty queue; requests of more than `limit` bytes are not begun beside others.
    pub(super) fn new(limit: usize) -> Self {
        Self { queue: VecDeque::new(), bytes: 0, limit }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Bytes of the requests in the queue.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether another request may begin now.
    pub(super) fn may_begin(&self) -> bool {
        let in_turn = matches!(self.queue.back(), Some(Request { answer: Answer::InTurn { .. }, .. }));
        !in_turn && self.bytes < self.limit && self.queue.len() < MAX_REQUESTS
    }

    pub(super) fn push(&mut self, request: Request) {
        self.bytes += request.len;
        self.queue.push_back(request);
    }

    /// The next answer, in order; `Ready(None)` if nothing is awaited.
    pub(super) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<RequestWithResponse>> {
        let Some(front) = self.queue.front_mut() else { return Poll::Ready(None) };
        let response = match &mut front.answer {
            Answer::Ready(response) => std::mem::take(response),
            Answer::Pipelined(answer) | Answer::InTurn { answer, .. } => ready!(answer.as_mut().poll(cx)),
        };
        let Request { api, begun_at, .. } = self.drop_front().expect("there is a front");
        Poll::Ready(Some(RequestWithResponse { api, begun_at, response }))
    }

    /// Gives up a request at the front that only waits for what others do.
    pub(super) fn abandon_patient(&mut self) {
        if matches!(self.queue.front(), Some(Request { answer: Answer::InTurn { is_patient: true, .. }, .. }))
        {
            self.drop_front();
        }
    }

    fn drop_front(&mut self) -> Option<Request> {
        let request = self.queue.pop_front()?;
        self.bytes -= request.len;
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        Some(request)
    }
}
