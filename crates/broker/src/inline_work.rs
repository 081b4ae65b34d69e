//! Work on records that one request may have done on its caller's thread.
//!
//! A request may bring a batch for each of many partitions. Each of them alone is a millisecond of unpacking and judging;
//! a thousand of them on an async thread would hold up every other client.
//!
//! Invariant: the records that one request has unpacked and judged on the caller's thread are within the bound together,
//! however they are divided into batches; what is beyond it is [`crate::heavy_work`].

use factum_base::steps::Steps;

/// Bytes of unpacked records: about two milliseconds of reading JSON.
const MAX_BYTES: usize = 512 << 10;

/// Steps of judging them; one looks at a part of a value.
const MAX_STEPS: usize = 128 << 10;

/// What a request has left of it.
#[derive(Debug)]
pub struct InlineWork {
    left: usize,
    steps: Steps,
}

impl Default for InlineWork {
    fn default() -> Self {
        Self { left: MAX_BYTES, steps: Steps::new(MAX_STEPS) }
    }
}

impl InlineWork {
    /// Bytes that are left.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Steps that are left.
    pub(crate) fn steps(&mut self) -> &mut Steps {
        &mut self.steps
    }

    /// Takes `bytes` if there are as many left.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let rest = self.left.checked_sub(bytes);
        self.left = rest.unwrap_or(self.left);
        rest.is_some()
    }
}
