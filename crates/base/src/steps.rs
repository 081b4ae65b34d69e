//! Steps of work that may be done: a limit that work counts against, whatever the bytes that caused it.

/// What is left of a number of steps.
///
/// Invariant: once more was asked for than was left, nothing is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    left: Option<usize>,
}

impl Steps {
    /// So many.
    pub const fn new(steps: usize) -> Self {
        Self { left: Some(steps) }
    }

    /// Takes steps that are about to be done; whether they were left.
    pub fn take(&mut self, steps: usize) -> bool {
        self.left = self.left.and_then(|left| left.checked_sub(steps));
        self.left.is_some()
    }

    /// Whether more was asked for than was left: what came of the work means nothing.
    pub fn are_spent(&self) -> bool {
        self.left.is_none()
    }
}
