//! Whose state it is.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The component that a task belongs to: "sql", "delivery". Each lists and forgets its own tasks only.
///
/// Invariants: 1 to [`Owner::MAX_LEN`] of the characters `a` to `z`, `0` to `9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner(Cow<'static, str>);

impl Owner {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 32;

    /// The owner of all state that was written before tasks had owners.
    pub(crate) const FIRST: Self = Self(Cow::Borrowed("sql"));

    /// An owner whose name is written in the program.
    ///
    /// # Panics
    /// If `name` is not as [`Owner`] promises; in a constant, when it is compiled.
    pub const fn from_static(name: &'static str) -> Self {
        assert!(is_owner(name.as_bytes()), "an owner is 1 to 32 of a-z, 0-9 and -");
        Self(Cow::Borrowed(name))
    }

    /// An owner as it was stored; `None` if that is no owner's name.
    pub(crate) fn stored(name: &str) -> Option<Self> {
        is_owner(name.as_bytes()).then(|| Self(Cow::Owned(name.to_owned())))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const fn is_owner(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        if !(name[at].is_ascii_lowercase() || name[at].is_ascii_digit() || name[at] == b'-') {
            return false;
        }
        at += 1;
    }
    !name.is_empty() && name.len() <= Owner::MAX_LEN
}

/// One computation over one source partition. A changed definition has another name, so that it builds its
/// state beside the old one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    owner: Owner,
    name: Arc<str>,
    partition: i32,
}

impl TaskId {
    /// The longest name that a store takes, in bytes.
    pub const MAX_NAME_LEN: usize = 1024;

    /// Names a task of `owner`. `name` identifies the definition, version included.
    pub fn new(owner: Owner, name: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { owner, name: name.into(), partition }
    }

    /// Whose it is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// What its owner calls the definition.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The source partition.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// Whether a store takes the name: 1 to [`TaskId::MAX_NAME_LEN`] bytes without NUL.
    pub fn is_valid(&self) -> bool {
        (1..=Self::MAX_NAME_LEN).contains(&self.name.len()) && !self.name.contains('\0')
    }
}

/// Without the owner: only the owner shows a task to people.
impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.partition)
    }
}

/// One operator's rows within a task; numbered from 0 by the plan. The number says the kind of the table: one below
/// 32,768 is found by key only, one from there on ([`ordered_table`]) has its rows in the order of their keys too.
pub type TableId = u16;

const ORDERED: TableId = 1 << 15;

/// The id of the ordered table with this number. It has nothing to do with the other table of the same number.
///
/// # Panics
/// If `number` is not below 32,768; in a constant, when it is compiled.
pub const fn ordered_table(number: u16) -> TableId {
    assert!(number < ORDERED, "a table's number is below 32,768");
    ORDERED | number
}

/// Whether the table has ranges.
pub const fn is_ordered(table: TableId) -> bool {
    table >= ORDERED
}

/// Rises each time a task is taken over; the holder of the highest may commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Fence(u64);

impl Fence {
    /// Wraps a stored fence.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The fence of the next holder.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
