//! The interface to state, whatever keeps it.

use async_trait::async_trait;

use crate::{Epoch, Fence, KeyRange, Loss, Owner, Page, Progress, TableId, TaskId};

/// Keyed rows of tasks, with an atomic commit per epoch. What an implementation owes is written out in the
/// `conformance` module and run on each.
#[async_trait]
pub trait StateStore: Send + Sync + 'static {
    /// Takes `task` over from its holder and tells how far it is, and what damage took from it.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn take_over(&self, task: &TaskId) -> Result<TakeOver, ReadError>;

    /// Ends the report of a [`Loss`]: [`StateStore::take_over`] tells of it, over restarts too, until then. Call it
    /// once its owner was told. Without a loss it changes nothing.
    ///
    /// # Errors
    /// As for [`StateStore::commit`].
    async fn acknowledge_loss(&self, task: &TaskId, fence: Fence) -> Result<(), CommitError>;

    /// The rows under `keys`, in their order.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn get_many(&self, task: &TaskId, table: TableId, keys: &[&[u8]])
    -> Result<FoundValues, ReadError>;

    /// Shows every row of a table to `visit`, all of one epoch, an ordered table's in order; tells which. Commits do
    /// not wait for it.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn scan(&self, task: &TaskId, table: TableId, visit: &mut Visit<'_>)
    -> Result<Progress, ReadError>;

    /// The first rows of a range of an ordered table, all of one epoch. A page is about 1 MiB at most and looks at a
    /// bounded number of deleted rows, so it may have fewer rows than there are: read on at [`Page::next`].
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::Unordered`] for a table that is not ordered.
    async fn range(&self, task: &TaskId, table: TableId, range: &KeyRange) -> Result<Page, ReadError>;

    /// Makes `epoch` durable, all of it or nothing, and then visible. Dropping the future leaves open which.
    ///
    /// # Errors
    /// [`CommitError`]; [`CommitError::NotDurable`] leaves open whether the epoch counts, which the next
    /// [`StateStore::take_over`] tells; the others keep nothing of it.
    async fn commit(&self, task: &TaskId, fence: Fence, epoch: Epoch) -> Result<Progress, CommitError>;

    /// Forgets a task and its rows.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`], [`CommitError::NotDurable`].
    async fn forget(&self, task: &TaskId) -> Result<(), CommitError>;

    /// Every task of `owner` that has state, how far it is and how large.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn tasks(&self, owner: &Owner) -> Result<Vec<KeptTask>, ReadError>;
}

/// A task that has state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTask {
    /// The task.
    pub task: TaskId,
    /// How far it is.
    pub progress: Progress,
    /// Bytes of memory that it holds.
    pub memory: u64,
    /// Bytes of its rows for which memory had no room.
    pub disk: u64,
}

/// Forgets every task of `owner`, one after the other. If it fails the others are still there.
///
/// # Errors
/// [`ForgetAllError`].
pub async fn forget_all(store: &dyn StateStore, owner: &Owner) -> Result<(), ForgetAllError> {
    for kept in store.tasks(owner).await? {
        store.forget(&kept.task).await?;
    }
    Ok(())
}

/// Why not every task of an owner was forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetAllError {
    /// Which tasks there are cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A task could not be forgotten.
    #[error(transparent)]
    Forget(#[from] CommitError),
}

/// Is shown the key and value of each row.
pub type Visit<'v> = dyn FnMut(&[u8], &[u8]) + Send + 'v;

/// What a task finds when it is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeOver {
    /// What to commit with from now on.
    pub fence: Fence,
    /// How far it is; the default where it never committed.
    pub progress: Progress,
    /// What damage took from it, until [`StateStore::acknowledge_loss`]. `progress` is that of the state which was
    /// started over since.
    pub lost: Option<Loss>,
}

/// Values found by [`StateStore::get_many`], in one buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundValues {
    bytes: Vec<u8>,
    /// Where each value lies; an end before its start marks an absent one.
    places: Vec<(usize, usize)>,
}

const ABSENT: (usize, usize) = (1, 0);

impl FoundValues {
    /// Room for `count` values.
    pub fn with_capacity(count: usize) -> Self {
        Self { bytes: Vec::new(), places: Vec::with_capacity(count) }
    }

    /// Adds the value of the next key.
    pub fn push(&mut self, value: Option<&[u8]>) {
        let start = self.bytes.len();
        self.places.push(match value {
            Some(value) => {
                self.bytes.extend_from_slice(value);
                (start, self.bytes.len())
            }
            None => ABSENT,
        });
    }

    /// The value of the key at `index`, if it has one.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let (start, end) = *self.places.get(index)?;
        self.bytes.get(start..end)
    }

    /// How many keys were asked for.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether no key was asked for.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The values that are there, with the index of their key.
    pub fn present(&self) -> impl Iterator<Item = (usize, &[u8])> {
        (0..self.len()).filter_map(|index| self.get(index).map(|value| (index, value)))
    }
}

/// Why state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk or the database does not answer.
    #[error(
        "the state of {task} cannot be read now: {reason}; it is tried again; a full or failing disk has to be mended first"
    )]
    Unavailable {
        /// The task.
        task: TaskId,
        /// Why.
        reason: String,
    },
    /// The table has no order.
    #[error("table {table} of {task} is not ordered and has no ranges")]
    Unordered {
        /// The task.
        task: TaskId,
        /// The table.
        table: TableId,
    },
}

/// Why an epoch was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Another holds the task by now; stop working on it.
    #[error("{task} was taken over: fence {held:?} is not {current:?}")]
    Fenced {
        /// The task.
        task: TaskId,
        /// What the caller holds.
        held: Fence,
        /// What is needed by now.
        current: Fence,
    },
    /// Nothing of it was kept; the same may succeed later, by itself: the disk is full, or rows that have no room
    /// in memory cannot be moved out of it.
    #[error(
        "the state of {task} cannot be stored now: {reason}; it is tried again; a full or failing disk has to be mended first"
    )]
    Unavailable {
        /// The task.
        task: TaskId,
        /// Why.
        reason: String,
    },
    /// Not durable now; whether the epoch counts shows when the task is taken over again.
    #[error(
        "the state of {task} cannot be made durable: {reason}; it is tried again; a failing disk has to be mended first"
    )]
    NotDurable {
        /// The task.
        task: TaskId,
        /// Why.
        reason: String,
    },
    /// The epoch, or the task's name, is larger than any that the store takes. Nothing was kept.
    #[error("an epoch of {task} is refused: {reason}")]
    Refused {
        /// The task.
        task: TaskId,
        /// What is too large, and the limit.
        reason: String,
    },
}

impl CommitError {
    /// Whether the task may go on after taking itself over again.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::NotDurable { .. } | Self::Unavailable { .. })
    }

    /// Why, without whose state it is and what comes of it.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Unavailable { reason, .. }
            | Self::NotDurable { reason, .. }
            | Self::Refused { reason, .. } => reason,
            fenced @ Self::Fenced { .. } => fenced.to_string(),
        }
    }
}
