//! A pause in which a connection begins no request, because its client has used more than its quota (KIP-219).

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// The pause, while there is one.
#[derive(Debug, Default)]
pub(super) struct Pause(Option<Pin<Box<Sleep>>>);

impl Pause {
    /// Whether it lasts.
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Has it last until `end`, if it would be over before.
    pub(super) fn extend(&mut self, end: Instant) {
        match &mut self.0 {
            Some(pause) if pause.deadline() >= end => {}
            Some(pause) => pause.as_mut().reset(end),
            None => self.0 = Some(Box::pin(sleep_until(end))),
        }
    }

    /// Whether it has ended just now; else the task is woken when it does.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> bool {
        let is_over = match &mut self.0 {
            Some(pause) => matches!(pause.as_mut().poll(cx), Poll::Ready(())),
            None => false,
        };
        if is_over {
            self.0 = None;
        }
        is_over
    }
}
