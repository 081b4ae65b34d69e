//! One client's connection: frames in, requests begun in order, answers out in the same order.
//!
//! ```text
//!   socket ─▶ input ─▶ frame ─▶ handlers::begin ─▶ pending ─▶ output ─▶ socket
//!               ╰─ what is large waits for memory, step by step
//! ```
//!
//! One task does all of it, so that a request costs one wake-up when it arrives and, if it waits for the disk
//! or for records, one when that is over.
//!
//! Invariants:
//! - Requests begin, and are answered, in the order in which they came.
//! - Unless the client resets the connection, what was begun is finished: also when it ends its side, also
//!   when the server stops.
//! - A client that is silent, or slow within a request or in taking an answer, is let go after a time: after a
//!   short one if others wait for the memory that it holds.
//! - A client that has used more than its quota has its next request begun later. It takes no more memory meanwhile, and
//!   is let go if others wait for what it has.
//! - What it holds of its requests, begun or not, is reserved beyond the first 16 KiB (see [`request_memory`]).
//!
//! Not here: what requests mean (see [`crate::handlers`]), who the client is.

mod addresses;
mod budget;
mod input;
mod output;
mod pause;
mod pending;
mod progress;
mod request_memory;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use factum_base::tasks::Stop;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::{debug, warn};

pub(crate) use addresses::{AddressConnection, Addresses};
pub(crate) use budget::{Budget, to_usize};
pub(crate) use input::READ_BYTES;
pub(crate) use pending::Answer;
pub(crate) use request_memory::RequestMemory;

use crate::handlers::{self, Refusal, Session};
use crate::messages::ApiKey;
use crate::metrics::Metrics;
use input::{FrameError, Input};
use output::Output;
use pause::Pause;
use pending::{Pending, Request};
use progress::Progress;
use request_memory::{FREE_BYTES, Reservation};

/// The largest request of a client that has yet to log in.
const UNAUTHENTICATED_FRAME_BYTES: usize = 128 * 1024;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the client closed the connection")]
    Closed,
    #[error("the server stops")]
    Stopped,
    #[error("the client was refused when it logged in")]
    LoginRefused,
    #[error("nothing happened for the idle timeout")]
    Idle,
    #[error("the client has to wait for its quota, and others for what it holds")]
    Throttled,
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
    /// Of memory for the input and the pending requests.
    reservation: Reservation,
    /// Why nothing more is read: the client ended its side, or the server stops.
    ending: Option<End>,
    opened_at: Instant,
    /// The last byte in or out, or answer.
    active_at: Instant,
    /// When the frame at the front of the input began to arrive, or could have.
    frame_since: Instant,
    /// Of the bytes of the frame at the front.
    arriving: Progress,
    /// Of the answers that the client has to take.
    taking: Progress,
    /// While nothing more is begun because the client has used more than its quota.
    pause: Pause,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(crate) fn new(stream: S, session: Arc<Session>) -> Self {
        let (node, address) = (&session.node, &session.connection.address);
        let options = &node.options;
        let now = Instant::now();
        Self {
            stream,
            input: Input::new(frame_limit(&session)),
            pending: Pending::new(to_usize(options.max_connection_in_flight_bytes.as_u64())),
            output: Output::new(Arc::clone(&node.budget), Arc::clone(address)),
            reservation: Reservation::new(Arc::clone(&node.request_memory), Arc::clone(address)),
            ending: None,
            opened_at: now,
            active_at: now,
            frame_since: now,
            arriving: Progress::new(now),
            taking: Progress::new(now),
            pause: Pause::default(),
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
        self.shut_down().await;
        self.report(&end);
    }

    /// Does whatever can be done now; ready when the connection is over.
    fn poll_serve(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        loop {
            let mut progress = self.poll_answers(cx);
            progress |= self.poll_output(cx)?;
            self.poll_throttled(cx);
            progress |= self.begin_requests()?;
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
            let now = Instant::now();
            if self.output.is_empty() {
                self.taking.restart(now);
            }
            self.output.push(answered.response);
            // Until now the next request may have been held back by us.
            self.frame_since = now;
            progress = true;
        }
        if self.is_stopping() {
            self.pending.abandon_patient();
        }
        if progress {
            self.heed_throttle();
            self.heed_login();
            self.reservation.shrink_to(self.held_bytes());
        }
        progress
    }

    /// Begins nothing more for as long as the client has to wait.
    fn heed_throttle(&mut self) {
        if let Some(delay) = self.session.throttle.take() {
            let now = Instant::now();
            self.pause.extend(now + delay);
            self.arriving.restart(now);
        }
    }

    fn poll_throttled(&mut self, cx: &mut Context<'_>) {
        if self.pause.poll_end(cx) {
            // The time until now was not the client's.
            let now = Instant::now();
            (self.active_at, self.frame_since) = (now, now);
            self.arriving.restart(now);
        }
    }

    /// After a login larger requests are taken; after a refusal none at all.
    fn heed_login(&mut self) {
        self.input.set_limit(frame_limit(&self.session));
        if self.session.authentication.is_refused() {
            self.ending.get_or_insert(End::LoginRefused);
        }
    }

    fn poll_output(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut progress = false;
        while !self.output.is_empty() {
            match self.output.poll_write(Pin::new(&mut self.stream), cx) {
                Poll::Ready(written) => {
                    self.taking.add(written?, Instant::now());
                    progress = true;
                }
                Poll::Pending => break,
            }
        }
        Ok(progress)
    }

    /// Ends our side, so that the client can tell the end from a connection that was cut (`close_notify` of TLS). What is not sent
    /// at once is given up.
    async fn shut_down(&mut self) {
        let mut stream = Pin::new(&mut self.stream);
        poll_fn(|cx| Poll::Ready(stream.as_mut().poll_shutdown(cx).is_ready())).await;
    }

    /// Begins the requests that are there as a whole.
    fn begin_requests(&mut self) -> Result<bool, End> {
        let mut progress = false;
        while self.may_begin() {
            let Some(len) = self.input.frame_len()?.filter(|len| self.input.is_whole(*len)) else { break };
            let frame = self.input.take_frame(len);
            self.begin(frame)?;
            progress = true;
        }
        Ok(progress)
    }

    fn may_begin(&self) -> bool {
        // An answer that the client does not take holds back its next request.
        let may_go_on = !self.is_stopping() && !self.is_refused() && !self.pause.is_on();
        may_go_on && self.pending.may_begin() && self.output.is_empty()
    }

    fn begin(&mut self, frame: BytesMut) -> Result<(), End> {
        let (len, begun_at, now) = (frame.len(), self.session.node.clock.monotonic(), Instant::now());
        self.frame_since = now;
        self.arriving.restart(now);
        let begun = handlers::begin(&self.session, frame)?;
        self.heed_throttle();
        self.metrics().begun(begun.api, len);
        match begun.answer {
            Some(answer) => self.pending.push(Request { api: begun.api, len, begun_at, answer }),
            None => {
                self.reservation.shrink_to(self.held_bytes());
                self.measure(begun.api, begun_at, 0);
            }
        }
        Ok(())
    }

    /// Reads once, unless what is there has to be dealt with first.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let missing = match self.input.frame_len()? {
            _ if self.ending.is_some() => return Ok(false),
            Some(len) if self.input.is_whole(len) => return Ok(false),
            Some(len) => self.input.missing(len),
            None => 0,
        };
        let Poll::Ready(step) = self.poll_step(missing, cx) else { return Ok(false) };
        let was_empty = self.input.is_empty();
        match self.input.poll_read(Pin::new(&mut self.stream), step, missing, cx) {
            Poll::Pending => {
                self.reservation.shrink_to(self.held_bytes());
                Ok(false)
            }
            Poll::Ready(Ok(0)) => {
                self.ending = Some(End::Closed);
                Ok(true)
            }
            Poll::Ready(Ok(read)) => {
                let now = Instant::now();
                if was_empty {
                    self.frame_since = now;
                    self.arriving.restart(now);
                }
                self.arriving.add(read, now);
                Ok(true)
            }
            // A client that speaks TLS and ended its side without saying so; frames have lengths, so nothing is taken for whole.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.ending = Some(End::Closed);
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(error.into()),
        }
    }

    /// How many bytes may be read now of a frame of which `missing` have yet to come. Waits if there is memory
    /// for none; not for a frame that could not begin when it is whole.
    fn poll_step(&mut self, missing: usize, cx: &mut Context<'_>) -> Poll<usize> {
        let (held, step) = (self.held_bytes(), self.input.step(missing));
        if self.pause.is_on() {
            // Enough to see that it has gone, and no more; others may use its turn meanwhile.
            self.reservation.stop_waiting();
            let room = FREE_BYTES.saturating_sub(held);
            return if room > 0 { Poll::Ready(step.min(room)) } else { Poll::Pending };
        }
        if self.reservation.try_extend(held + step) {
            return Poll::Ready(step);
        }
        if self.reservation.capacity() <= held {
            if !self.may_begin() {
                // Others may use its turn meanwhile.
                self.reservation.stop_waiting();
                return Poll::Pending;
            }
            let was_waiting = self.reservation.is_waiting();
            ready!(self.reservation.poll_extend(held + step.min(FREE_BYTES), missing, cx));
            if was_waiting {
                self.arriving.restart(Instant::now());
            }
        }
        self.reservation.stop_waiting();
        Poll::Ready(step.min(self.reservation.capacity() - held))
    }

    /// What is in memory of the client's requests.
    fn held_bytes(&self) -> usize {
        self.input.len() + self.pending.bytes()
    }

    fn is_stopping(&self) -> bool {
        matches!(self.ending, Some(End::Stopped))
    }

    fn is_refused(&self) -> bool {
        matches!(self.ending, Some(End::LoginRefused))
    }

    /// Whether nothing is left to do. The end of the stream is read only behind the last whole frame, so what
    /// the client sent before it ended its side was begun by then.
    fn is_over(&self) -> bool {
        self.ending.is_some() && self.pending.is_empty() && self.output.is_empty()
    }

    /// When the connection ends if nothing happens until then; none while the client waits for us.
    fn deadline(&self) -> Option<Instant> {
        let options = &self.session.node.options;
        let own = if !self.output.is_empty() {
            let is_crowded = self.session.node.budget.is_crowded();
            let limit = if is_crowded { options.crowded_timeout } else { options.stall_timeout };
            Some(self.taking.deadline(limit))
        } else if !self.pending.is_empty() {
            None
        } else if self.pause.is_on() {
            Some(self.active_at + options.idle_timeout)
        } else if !self.input.is_empty() {
            Some(self.frame_since + options.stall_timeout)
        } else {
            Some(self.active_at + options.idle_timeout)
        };
        let own = [own, self.login_deadline()].into_iter().flatten().min();
        let is_in_the_way = self.holds_requests() && self.reservation.is_in_the_way();
        let crowded = is_in_the_way.then(|| self.arriving.deadline(options.crowded_timeout));
        [own, crowded].into_iter().flatten().min()
    }

    /// When a client that has to log in must have done so.
    fn login_deadline(&self) -> Option<Instant> {
        let is_awaited = self.pending.is_empty() && self.session.authentication.is_awaited();
        is_awaited.then(|| self.opened_at + self.session.node.options.stall_timeout)
    }

    /// Whether bytes are there that cannot be begun yet: a part of a request, or what a client sent that has to wait.
    fn holds_requests(&self) -> bool {
        let is_held_back = self.pause.is_on() && self.pending.is_empty() && !self.input.is_empty();
        is_held_back || self.is_arriving()
    }

    /// Whether a part of a request is there.
    fn is_arriving(&self) -> bool {
        let is_whole = |len: usize| self.input.is_whole(len);
        !self.input.is_empty() && !self.input.frame_len().is_ok_and(|len| len.is_some_and(is_whole))
    }

    /// Ends the connection once its deadline is past. The timer moves forward only when it fires, and back
    /// only when something shorter begins, so that a busy connection hardly touches it.
    fn poll_deadline(&self, mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            let (deadline, now) = (self.deadline(), Instant::now());
            if deadline.is_some_and(|deadline| deadline <= now) {
                let is_idle =
                    self.output.is_empty() && self.input.is_empty() && self.login_deadline().is_none();
                return Poll::Ready(match is_idle {
                    true => End::Idle,
                    false if self.pause.is_on() && self.output.is_empty() => End::Throttled,
                    false => End::Stalled,
                });
            }
            // Others may come to wait for what it holds, and no one would tell.
            let may_be_in_the_way = !self.output.is_empty() || self.holds_requests();
            let look = may_be_in_the_way.then(|| now + self.session.node.options.crowded_timeout);
            let Some(check) = [deadline, look].into_iter().flatten().min() else { return Poll::Pending };
            if check < timer.deadline() {
                timer.as_mut().reset(check);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            timer.as_mut().reset(check);
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
        let what = match end {
            // The login was reported when it was refused.
            End::Closed | End::Stopped | End::Idle | End::Throttled | End::LoginRefused | End::Io(_) => {
                debug!(%peer, %end, "closed a connection");
                return;
            }
            End::Frame(_) => {
                self.metrics().refused_frame();
                "closed a connection whose bytes are no request"
            }
            End::Refused(_) => {
                self.metrics().refused_frame();
                "closed a connection whose request cannot be answered"
            }
            End::Stalled => {
                self.metrics().stalled_connection();
                "closed a connection"
            }
        };
        match self.session.node.may_log(peer.ip()) {
            Some(left_out) => warn!(%peer, error = %end, left_out, "{what}"),
            None => debug!(%peer, error = %end, "{what}"),
        }
    }
}

/// The largest request taken now: until a client has said who it is, little.
fn frame_limit(session: &Session) -> usize {
    let limit = to_usize(session.node.options.max_frame_bytes.as_u64());
    if session.authentication.is_awaited() { limit.min(UNAUTHENTICATED_FRAME_BYTES) } else { limit }
}
