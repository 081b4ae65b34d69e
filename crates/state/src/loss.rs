//! Loss of a task's rows to damaged files.

use crate::Progress;

/// A task's state was damaged and is gone: its rows are removed and it starts over, at epoch 0. Its sources may no
/// longer have every event that the lost state had read, so its owner says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// How far the task was, as far as the undamaged bytes tell: `offsets` is up to where events had been read. The
    /// default where they tell nothing. Its outbox is left out.
    pub progress: Progress,
    /// What was damaged and where it is kept, for people.
    pub reason: String,
}
