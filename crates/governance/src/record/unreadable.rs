//! The unreadable parts of the record of applied resources.
//!
//! Invariants: bounded, however much is damaged; what a later record repeats is no longer in doubt.

use std::collections::BTreeMap;
use std::fmt;

use factum_types::Offset;

use crate::resource_id::ResourceId;

/// How many are named; the others are counted.
const MAX_LISTED: usize = 100;
/// A key is a kind and two names; a longer one is no one's.
const MAX_KEY_CHARACTERS: usize = 120;

/// A record, or a range of records, that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableResource {
    /// Its offset, or the first one of a range.
    pub offset: Offset,
    /// Behind the last offset of the range; `offset + 1` for one record.
    pub next: Offset,
    /// The record's key, cut if it is long; `None` where it cannot be read either.
    pub key: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// Whether it may have held a definition that is not known now; if not, it is no one's and harmless.
    pub hides: bool,
}

impl fmt::Display for UnreadableResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, self.next.since(self.offset)) {
            (Some(key), _) => write!(f, "offset {}, key {key}: {}", self.offset, self.reason),
            (None, 1) if self.hides => {
                write!(f, "offset {}: {}; what was recorded there is not known", self.offset, self.reason)
            }
            (None, 1) => write!(f, "offset {}: {}", self.offset, self.reason),
            (None, _) => write!(
                f,
                "offsets {} to {}: {}; what was recorded there is not known",
                self.offset,
                self.next.advance(-1),
                self.reason
            ),
        }
    }
}

/// Everything that was passed over in one reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct UnreadableResources {
    /// Ranges whose keys are not known, and records that are no one's.
    anonymous: Vec<UnreadableResource>,
    /// The last record of these definitions.
    doubtful: BTreeMap<ResourceId, UnreadableResource>,
    /// Offsets that may have held a definition which is not known.
    lost: i64,
    /// Those of `anonymous` that are not listed.
    unlisted: usize,
}

impl UnreadableResources {
    /// A range of which not even the keys are known.
    pub(super) fn lost(&mut self, range: &factum_eventlog::Unreadable) {
        self.lost = self.lost.saturating_add(range.next.since(range.from).max(1));
        let (offset, next) = (range.from, range.next);
        if let Some(last) = self.anonymous.last_mut()
            && (last.next, &last.reason, last.hides) == (offset, &range.reason, true)
        {
            last.next = next;
            return;
        }
        let reason = range.reason.clone();
        self.list(UnreadableResource { offset, next, key: None, reason, hides: true });
    }

    /// A record that is no definition of this version's.
    pub(super) fn foreign(&mut self, offset: Offset, key: Option<&[u8]>) {
        let key = key.map(|key| String::from_utf8_lossy(key).chars().take(MAX_KEY_CHARACTERS).collect());
        let reason = match key {
            Some(_) => "this version knows no such definition",
            None => "a record without a key is no definition",
        };
        let next = offset.advance(1);
        self.list(UnreadableResource { offset, next, key, reason: reason.to_owned(), hides: false });
    }

    /// The record of a definition, with a value that is none.
    pub(super) fn doubt(&mut self, id: ResourceId, offset: Offset, reason: String) {
        let key = Some(id.to_string().chars().take(MAX_KEY_CHARACTERS).collect());
        let next = offset.advance(1);
        self.doubtful.insert(id, UnreadableResource { offset, next, key, reason, hides: true });
    }

    /// Everything was written again behind all of it.
    pub(super) fn settle_all(&mut self) {
        *self = Self::default();
    }

    /// A later record says what the definition is.
    pub(super) fn settle(&mut self, id: &ResourceId) {
        self.doubtful.remove(id);
    }

    pub(super) fn is_doubtful(&self, id: &ResourceId) -> bool {
        self.doubtful.contains_key(id)
    }

    /// Whether there may be definitions that no one knows of.
    pub(super) fn may_hide_definitions(&self) -> bool {
        self.lost > 0 || !self.doubtful.is_empty()
    }

    /// In the order of the log, and how many more there are.
    pub(super) fn listed(&self) -> (Vec<UnreadableResource>, usize) {
        let mut all: Vec<_> = self.anonymous.iter().chain(self.doubtful.values()).cloned().collect();
        all.sort_by_key(|found| found.offset);
        let more = self.unlisted + all.len().saturating_sub(MAX_LISTED);
        all.truncate(MAX_LISTED);
        (all, more)
    }

    fn list(&mut self, found: UnreadableResource) {
        match self.anonymous.len() < MAX_LISTED {
            true => self.anonymous.push(found),
            false => self.unlisted += 1,
        }
    }
}
