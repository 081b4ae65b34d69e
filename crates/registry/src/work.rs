//! Work that one request may cause: reading schemas and comparing them is counted in steps.
//!
//! **Invariants:** what is counted depends on the schemas alone, and not on what was read before, so that the same request always has the
//! same response. Work that no one waits for any more ends within a few thousand steps.

use std::cell::Cell;

use factum_base::tasks::Stop;

/// Steps of a request, at most: a step looks at one field, one property, one alternative or one pair of types, or reads
/// [`BYTES_PER_STEP`] bytes.
const MAX_STEPS: usize = 4_000_000;
/// Bytes of text that are read in one step, and the reason of a version that is told in one.
const BYTES_PER_STEP: usize = 4;
/// Steps after which it is looked at whether anyone still waits.
const LOOK_EVERY: usize = 4_096;

/// Why work ended before its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// Over the limit.
    #[error(
        "too complex: reading the schema and comparing it with all versions that its level asks for takes more than {MAX_STEPS} steps; \
         compare it with fewer or smaller versions"
    )]
    TooComplex,
    /// Its client has gone, or the server stops.
    #[error("no one waits for the result any more")]
    Stopped,
}

/// What is left of the steps of one request.
#[derive(Debug)]
pub(crate) struct Work {
    stop: Stop,
    left: Cell<usize>,
    until_look: Cell<usize>,
    end: Cell<Option<WorkError>>,
}

impl Default for Work {
    fn default() -> Self {
        Self::until(Stop::new())
    }
}

impl Work {
    /// As much as a request may cause, until `stop` is requested.
    pub(crate) fn until(stop: Stop) -> Self {
        Self { stop, left: Cell::new(MAX_STEPS), until_look: Cell::new(0), end: Cell::new(None) }
    }

    /// Counts steps that are about to be done; whether they may be.
    pub(crate) fn spend(&self, steps: usize) -> bool {
        if self.end.get().is_some() {
            return false;
        }
        match self.left.get().checked_sub(steps) {
            Some(left) => self.left.set(left),
            None => self.end.set(Some(WorkError::TooComplex)),
        }
        match self.until_look.get().checked_sub(steps) {
            Some(until_look) => self.until_look.set(until_look),
            None => {
                self.until_look.set(LOOK_EVERY);
                if self.stop.is_requested() {
                    self.end.set(Some(WorkError::Stopped));
                }
            }
        }
        self.end.get().is_none()
    }

    /// The same for the reading, or writing, of so many bytes.
    ///
    /// # Errors
    /// [`WorkError`].
    pub(crate) fn spend_bytes(&self, bytes: usize) -> Result<(), WorkError> {
        self.spend(1 + bytes / BYTES_PER_STEP);
        self.check()
    }

    /// Whether all that was counted could be done.
    ///
    /// # Errors
    /// [`WorkError`].
    pub(crate) fn check(&self) -> Result<(), WorkError> {
        self.end.get().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends_at_its_limit_and_when_no_one_waits() {
        let work = Work::default();
        assert!(work.spend(MAX_STEPS) && !work.spend(1));
        assert_eq!(work.check(), Err(WorkError::TooComplex));
        let stop = Stop::new();
        let work = Work::until(stop.clone());
        assert!(work.spend(1));
        stop.request();
        assert!((0..=LOOK_EVERY).any(|_| !work.spend(1)));
        assert_eq!(work.check(), Err(WorkError::Stopped));
    }
}
