//! One client's connection: frames in, requests begun in order, answers out in the same order.
//!
//! ```text
//!   socket ─▶ input ─▶ frame ─▶ handlers::begin ─▶ pending ─▶ output ─▶ socket
//!                        ╰─ waits for a permit of the shared budget
//! ```
//!
//! One task does all of it, so that a request costs one wake-up when it arrives and, if it waits for the disk
//! or for records, one when that is over.
//!
//! Always holds
//! - Requests begin, and are answered, in the order in which they came.
//! - Unless the client resets the connection, what was begun is finished: also when it ends its side, also
//!   when the server stops.
//! - A client that is silent, or slow within a request or in taking an answer, is let go after a time.
//!
//! Not here: what requests mean (see [`crate::handlers`]), who the client is.

mod budget;
mod input;
mod output;
mod pending;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use factum_base::tasks::Stop;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::PollSemaphore;
use tracing::{debug, warn};

pub(crate) use budget::{Budget, to_usize};
pub(crate) use input::READ_BYTES;
pub(crate) use pending::Answer;

use crate::handlers::{self, Refusal, Session};
use crate::messages::ApiKey;
use crate::metrics::Metrics;
use input::{FrameError, Input};
use output::Output;
use pending::{Pending, Request};

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the client closed the connection")]
    Closed,
    #[error("the server stops")]
    Stopped,
    #[error("nothing happened for the idle timeout")]
    Idle,
    #[error("the client stalled within a request or an answer")]
    Stalled,
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A connection over any stream of bytes.
pub(crate) struct Connection<S> {
    stream: S,
    session: Arc<Session>,
    input: Input,
    pending: Pending,
    output: Output,
    permits: PollSemaphore,
    /// For the frame at the front of the input, or none yet.
    permit: Option<OwnedSemaphorePermit>,
    /// Why nothing more is read: the client ended its side, or the server stops.
    ending: Option<End>,
    /// The last byte in or out, or answer.
    active_at: Instant,
    /// When the frame at the front of the input began to arrive, or could have.
    frame_since: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(crate) fn new(stream: S, session: Arc<Session>) -> Self {
        let (options, budget) = (&session.node.options, &session.node.budget);
        let now = Instant::now();
        Self {
            stream,
            input: Input::new(to_usize(options.max_frame_bytes.as_u64())),
            pending: Pending::new(to_usize(options.max_connection_in_flight_bytes.as_u64())),
            output: Output::new(Arc::clone(budget)),
            permits: PollSemaphore::new(budget.requests()),
            permit: None,
            ending: None,
            active_at: now,
            frame_since: now,
            session,
        }
    }

    /// Serves the client until it or the server ends the connection, once. Takes a reference because a moved
    /// connection would be twice in the task, and there may be ten thousand of them.
    pub(crate) async fn run(&mut self, stop: &Stop) {
        let mut stopped = pin!(stop.requested());
        let mut timer = pin!(sleep_until(self.active_at + self.session.node.options.idle_timeout));
        let end = poll_fn(|cx| {
            if !self.is_stopping() && stopped.as_mut().poll(cx).is_ready() {
                self.ending = Some(End::Stopped);
            }
            match self.poll_serve(cx) {
                Poll::Ready(Err(end)) => Poll::Ready(end),
                Poll::Ready(Ok(())) => Poll::Ready(self.ending.take().unwrap_or(End::Closed)),
                Poll::Pending => self.poll_deadline(timer.as_mut(), cx),
            }
        })
        .await;
        self.report(&end);
    }

    /// Does whatever can be done now; ready when the connection is over.
    fn poll_serve(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        loop {
            let mut progress = self.poll_answers(cx);
            progress |= self.poll_output(cx)?;
            progress |= self.begin_requests(cx)?;
            progress |= self.poll_input(cx)?;
            if self.is_over() {
                return Poll::Ready(Ok(()));
            }
            if !progress {
                return Poll::Pending;
            }
            self.active_at = Instant::now();
        }
    }

    /// Moves answers to the output while the next in order is there.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        while let Poll::Ready(Some(answered)) = self.pending.poll_answer(cx) {
            self.measure(answered.api, answered.begun_at, answered.response.len());
            self.output.push(answered.response);
            // Until now the next request may have been held back by us.
            self.frame_since = Instant::now();
            progress = true;
        }
        if self.is_stopping() {
            self.pending.abandon_patient();
        }
        progress
    }

    fn poll_output(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut progress = false;
        while !self.output.is_empty() {
            match self.output.poll_write(Pin::new(&mut self.stream), cx) {
                Poll::Ready(written) => progress |= written? > 0,
                Poll::Pending => break,
            }
        }
        Ok(progress)
    }

    /// Begins the requests that are there as a whole.
    fn begin_requests(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let mut progress = false;
        while self.may_begin() {
            let Some(len) = self.input.frame_len()? else { break };
            let is_whole = self.input.is_whole(len);
            if !is_whole && !self.input.has_first_read() {
                break;
            }
            if self.permit.is_none() && !self.poll_permit(len, cx) {
                break;
            }
            if !is_whole {
                break;
            }
            let permit = self.permit.take().expect("taken just above");
            let frame = self.input.take_frame(len);
            self.begin(frame, permit)?;
            progress = true;
        }
        Ok(progress)
    }

    fn may_begin(&self) -> bool {
        // An answer that the client does not take holds back its next request.
        !self.is_stopping() && self.pending.may_begin() && self.output.is_empty()
    }

    /// Whether the permit for a frame of `len` bytes is held now.
    fn poll_permit(&mut self, len: usize, cx: &mut Context<'_>) -> bool {
        let count = u32::try_from(len).expect("a frame is at most as long as an i32 counts");
        match self.permits.poll_acquire_many(cx, count) {
            Poll::Ready(permit) => {
                self.permit = Some(permit.expect("the budget is never closed"));
                true
            }
            Poll::Pending => false,
        }
    }

    fn begin(&mut self, frame: BytesMut, permit: OwnedSemaphorePermit) -> Result<(), End> {
        let (len, begun_at) = (frame.len(), self.session.node.clock.monotonic());
        self.frame_since = Instant::now();
        let begun = handlers::begin(&self.session, frame)?;
        self.metrics().begun(begun.api, len);
        match begun.answer {
            Some(answer) => self.pending.push(Request { api: begun.api, len, begun_at, answer, permit }),
            None => self.measure(begun.api, begun_at, 0),
        }
        Ok(())
    }

    /// Reads once, unless what is there has to be dealt with first.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let Some(wanted) = self.wanted()? else { return Ok(false) };
        let was_empty = self.input.is_empty();
        match self.input.poll_read(Pin::new(&mut self.stream), wanted, cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => {
                self.ending = Some(End::Closed);
                Ok(true)
            }
            Poll::Ready(Ok(_)) => {
                if was_empty {
                    self.frame_since = Instant::now();
                }
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(error.into()),
        }
    }

    /// `None` if nothing is to be read now; else the frame that may be read to its end, if one may.
    fn wanted(&self) -> Result<Option<Option<usize>>, FrameError> {
        if self.ending.is_some() {
            return Ok(None);
        }
        Ok(match self.input.frame_len()? {
            None => Some(None),
            Some(len) if self.input.is_whole(len) => None,
            Some(len) if self.permit.is_some() => Some(Some(len)),
            Some(_) if self.input.has_first_read() => None,
            Some(_) => Some(None),
        })
    }

    fn is_stopping(&self) -> bool {
        matches!(self.ending, Some(End::Stopped))
    }

    /// Whether nothing is left to do. The end of the stream is read only behind the last whole frame, so what
    /// the client sent before it ended its side was begun by then.
    fn is_over(&self) -> bool {
        self.ending.is_some() && self.pending.is_empty() && self.output.is_empty()
    }

    /// When the connection ends if nothing happens until then; none while the client waits for us.
    fn deadline(&self) -> Option<Instant> {
        let options = &self.session.node.options;
        if !self.output.is_empty() {
            Some(self.active_at + options.stall_timeout)
        } else if !self.pending.is_empty() {
            None
        } else if !self.input.is_empty() {
            Some(self.frame_since + options.stall_timeout)
        } else {
            Some(self.active_at + options.idle_timeout)
        }
    }

    /// Ends the connection once its deadline is past. The timer moves forward only when it fires, and back
    /// only when something shorter begins, so that a busy connection hardly touches it.
    fn poll_deadline(&self, mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<End> {
        let Some(deadline) = self.deadline() else { return Poll::Pending };
        loop {
            if deadline < timer.deadline() {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if deadline <= Instant::now() {
                let is_idle = self.output.is_empty() && self.input.is_empty();
                return Poll::Ready(if is_idle { End::Idle } else { End::Stalled });
            }
            timer.as_mut().reset(deadline);
        }
    }

    fn metrics(&self) -> &Metrics {
        &self.session.node.metrics
    }

    fn measure(&self, api: ApiKey, begun_at: std::time::Instant, response_bytes: usize) {
        let took = self.session.node.clock.monotonic().saturating_duration_since(begun_at);
        self.metrics().answered(api, took, response_bytes);
    }

    fn report(&self, end: &End) {
        let peer = self.session.peer;
        match end {
            End::Frame(error) => {
                self.metrics().refused_frame();
                warn!(%peer, %error, "closed a connection whose bytes are no request");
            }
            End::Refused(error) => {
                self.metrics().refused_frame();
                warn!(%peer, %error, "closed a connection whose request cannot be answered");
            }
            End::Stalled => {
                self.metrics().stalled_connection();
                warn!(%peer, "closed a connection that stalled within a request or an answer");
            }
            End::Closed | End::Stopped | End::Idle | End::Io(_) => debug!(%peer, %end, "closed a connection"),
        }
    }
}
