//! Damage of what is kept of users and rules: found at the start, and what the operator said of it.
//!
//! ```text
//!   access.json   {"format":1,"accepted":[[120,121]]}     there since the first user or rule was made
//! ```
//!
//! Among records that are lost there may be a rule that denies, a changed password or the end of a user: with what is left,
//! someone may do what no one may. So the rules are not gone by until the operator says so.
//!
//! **Invariants:** what was lost is found at every start, also after a repair, which leaves an empty batch where records were
//! given up. What was accepted is offsets: other damage is found again.
//!
//! **Not here:** what a damaged server allows (see [`super::authorizer`]).

use std::path::{Path, PathBuf};

use factum_access::TOPIC;
use factum_eventlog::UnreadableRecords;
use factum_log::{InspectionNote, LocalDisk, inspect, write_atomically};
use serde::{Deserialize, Serialize};
use tracing::{error, warn};

/// In the data directory.
const FILE: &str = "access.json";
const FORMAT: u32 = 1;
/// More is no note of ours.
const MAX_BYTES: u64 = 1 << 20;
/// Ranges that one note has; damage beyond them cannot be accepted for good.
const MAX_RANGES: usize = 10_000;
/// How many are put in words; the others are counted.
const MAX_LISTED: usize = 5;

/// Offsets that are lost, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LostRange {
    pub(crate) from: i64,
    pub(crate) next: i64,
    pub(crate) reason: String,
}

/// The note that there were users or rules.
#[derive(Debug, Clone)]
pub(super) struct AccessNote {
    path: PathBuf,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: u32,
    /// Offsets that the operator does without: the first, and behind the last.
    accepted: Vec<(i64, i64)>,
}

impl AccessNote {
    pub(super) fn at(data_dir: &Path) -> Self {
        Self { path: data_dir.join(FILE) }
    }

    /// Whether there were users or rules once. One that cannot be looked for is taken to be there.
    pub(super) fn exists(&self) -> bool {
        std::fs::symlink_metadata(&self.path)
            .map_or_else(|error| error.kind() != std::io::ErrorKind::NotFound, |_| true)
    }

    /// Notes that there are, durably. Blocking.
    pub(super) fn begin(&self) {
        if !self.exists() {
            self.write(Vec::new());
        }
    }

    /// Notes that the operator does without these, besides those that it did without. Blocking.
    pub(super) fn accept(&self, lost: &[LostRange]) {
        let mut accepted = self.accepted();
        accepted.extend(lost.iter().map(|lost| (lost.from, lost.next)));
        accepted.sort_unstable();
        accepted.dedup();
        accepted.truncate(MAX_RANGES);
        self.write(accepted);
    }

    /// Whether the operator does without it.
    pub(super) fn accepted(&self) -> Vec<(i64, i64)> {
        // What cannot be read accepts nothing.
        let is_small =
            std::fs::metadata(&self.path).is_ok_and(|data| data.is_file() && data.len() <= MAX_BYTES);
        let bytes = if is_small { std::fs::read(&self.path).unwrap_or_default() } else { Vec::new() };
        let content = serde_json::from_slice::<Content>(&bytes).ok();
        content.filter(|content| content.format == FORMAT).map(|content| content.accepted).unwrap_or_default()
    }

    fn write(&self, accepted: Vec<(i64, i64)>) {
        let content = Content { format: FORMAT, accepted };
        let written = serde_json::to_vec(&content)
            .map_err(std::io::Error::other)
            .and_then(|bytes| write_atomically(&LocalDisk, &self.path, &bytes));
        if let Err(error) = written {
            warn!(path = %self.path.display(), %error, "cannot note that there are users or rules");
        }
    }
}

/// Everything that is lost of users and rules. `unreadable` is what their reader passed over. Blocking.
pub(super) fn find(data_dir: &Path, has_topic: bool, unreadable: &UnreadableRecords) -> Vec<LostRange> {
    if !has_topic {
        let is_known = AccessNote::at(data_dir).exists();
        let reason = format!("topic {TOPIC} is gone, and there were users or rules");
        return is_known.then_some(LostRange { from: 0, next: i64::MAX, reason }).into_iter().collect();
    }
    find_in(data_dir, TOPIC, unreadable)
}

/// Everything that is lost of a topic of one partition. `unreadable` is what its reader passed over. Blocking.
pub(crate) fn find_in(data_dir: &Path, topic: &str, unreadable: &UnreadableRecords) -> Vec<LostRange> {
    let mut lost: Vec<LostRange> = unreadable
        .ranges
        .iter()
        .map(|(range, reason)| LostRange {
            from: range.start.get(),
            next: range.end.get(),
            reason: reason.clone(),
        })
        .collect();
    if unreadable.more > 0 {
        let reason = format!("{} more records cannot be read", unreadable.more);
        lost.push(LostRange { from: 0, next: i64::MAX, reason });
    }
    let dir = data_dir.join("topics").join(topic).join("0");
    match inspect(&LocalDisk, &dir) {
        Ok(found) => {
            lost.extend(found.damage.iter().map(|damage| LostRange {
                from: damage.from.get(),
                next: damage.next.get(),
                reason: damage.fault.to_string(),
            }));
            lost.extend(found.notes.iter().filter_map(|note| match note {
                InspectionNote::GivenUp { from, next } => {
                    Some(LostRange { from: from.get(), next: next.get(), reason: note.to_string() })
                }
                _ => None,
            }));
        }
        Err(source) => {
            error!(error = &source as &dyn std::error::Error, "topic {topic} cannot be inspected");
            let reason = format!("topic {topic} cannot be inspected: {source}");
            lost.push(LostRange { from: 0, next: i64::MAX, reason });
        }
    }
    // The reader and the inspection tell of the same.
    lost.sort_by_key(|lost| (lost.from, lost.next));
    lost.dedup_by_key(|lost| (lost.from, lost.next));
    lost
}

/// Those that the operator did not accept.
pub(crate) fn not_accepted(lost: Vec<LostRange>, accepted: &[(i64, i64)]) -> Vec<LostRange> {
    let covers =
        |lost: &LostRange| accepted.iter().any(|(from, next)| *from <= lost.from && lost.next <= *next);
    lost.into_iter().filter(|lost| !covers(lost)).collect()
}

/// What is lost, in words.
pub(crate) fn in_words(lost: &[LostRange]) -> String {
    let mut words: Vec<_> = lost.iter().take(MAX_LISTED).map(|lost| lost.reason.clone()).collect();
    words.dedup();
    let more = lost.len().saturating_sub(MAX_LISTED);
    match more {
        0 => words.join("; "),
        more => format!("{}; and {more} more", words.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(from: i64, next: i64) -> LostRange {
        LostRange { from, next, reason: String::new() }
    }

    #[test]
    fn accepted_damage_covers_its_offsets_alone() {
        let accepted = [(3, 5)];
        let left = not_accepted(vec![lost(3, 4), lost(3, 5), lost(4, 6), lost(0, i64::MAX)], &accepted);
        assert_eq!(left, [lost(4, 6), lost(0, i64::MAX)]);
    }

    #[test]
    fn a_note_outlives_its_process_and_a_broken_one_accepts_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let note = AccessNote::at(folder.path());
        assert!(!note.exists());
        note.begin();
        assert!(note.exists());
        note.accept(&[lost(7, 9)]);
        note.accept(&[lost(3, 4)]);
        assert_eq!(AccessNote::at(folder.path()).accepted(), [(3, 4), (7, 9)]);
        std::fs::write(folder.path().join(FILE), "{").expect("written");
        assert!(note.exists() && note.accepted().is_empty());
        let gone = find(folder.path(), false, &UnreadableRecords::default());
        assert_eq!(gone.len(), 1, "{gone:?}");
    }
}
