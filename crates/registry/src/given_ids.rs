//! The ids that were given, as they are noted beside the log.
//!
//! Records that were written with an id mean its schema for good. Where the log lost the end of topic `_schemas`, it no longer knows which
//! ids were given: the note does.

use std::collections::BTreeMap;

use factum_types::Offset;

/// How far the topic goes, and the highest ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenIds {
    /// The offset behind its last record.
    pub end: Offset,
    /// The highest id of contexts: of all, or of those that a change is about.
    pub ids: BTreeMap<String, i32>,
}

/// Ids that are not given, whatever the log knows.
#[derive(Debug, Default)]
pub(crate) struct IdFloors {
    /// The highest of them, by context.
    pub(crate) ids: BTreeMap<String, i32>,
    /// Of contexts that are not among these.
    pub(crate) others: i32,
}

impl IdFloors {
    pub(crate) fn of(&self, context: &str) -> i32 {
        self.ids.get(context).copied().unwrap_or(self.others)
    }
}
