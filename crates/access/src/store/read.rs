//! Reading what is on the log, from where it was read to.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use factum_eventlog::{AdminError, Position};
use factum_types::{Offset, Record, TopicPartition};

use super::{Change, ChangeError, Inner, Journal, apply, topic};

const READ_BYTES: usize = 1024 * 1024;
/// Everything read here is behind the high watermark already: longer than this means that the log is ill.
const READ_WAIT: Duration = Duration::from_secs(10);
/// How many records that cannot be read are named; the others are counted.
const MAX_LISTED: usize = 20;
/// How many ranges of them are kept.
const MAX_RANGES: usize = 1_000;

/// The records that were passed over in a reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnreadableAccess {
    /// Their offsets, and why; nothing of a value.
    pub ranges: Vec<(Range<Offset>, String)>,
    /// How many more there are.
    pub more: usize,
}

impl UnreadableAccess {
    /// Whether nothing was passed over.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    fn add(&mut self, offsets: Range<Offset>, reason: impl FnOnce() -> String) {
        match self.ranges.len() < MAX_RANGES {
            true => self.ranges.push((offsets, reason())),
            false => self.more += 1,
        }
    }
}

impl fmt::Display for UnreadableAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = self.ranges.iter().take(MAX_LISTED);
        let lines: Vec<_> = listed
            .map(|(Range { start, end }, reason)| match end.get() - start.get() {
                1 => format!("offset {start}: {reason}"),
                _ => format!("offsets {start} to {end}: {reason}"),
            })
            .collect();
        f.write_str(&lines.join("; "))?;
        match self.ranges.len().saturating_sub(MAX_LISTED) + self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl Inner {
    /// Reads and applies what was not read yet.
    pub(super) async fn read_on(&self, journal: &mut Journal) -> Result<UnreadableAccess, ChangeError> {
        let mut unreadable = UnreadableAccess::default();
        let partition = TopicPartition::new(topic(), 0);
        match self.log.topic(&partition.topic).await {
            Ok(_) => {}
            Err(AdminError::UnknownTopic { .. }) => {
                journal.is_stale = false;
                return Ok(unreadable);
            }
            Err(error) => return Err(error.into()),
        }
        let end = self.log.offset_of(&partition, Position::Latest).await?;
        let start = self.log.offset_of(&partition, Position::Earliest).await?;
        journal.next = journal.next.max(start);
        while journal.next < end {
            let chunk = self.log.read(&partition, journal.next, READ_BYTES, READ_WAIT).await?;
            if chunk.next <= journal.next {
                return Err(ChangeError::Stalled);
            }
            for hole in &chunk.unreadable {
                unreadable.add(hole.from..hole.next, || hole.reason.to_string());
            }
            // What was written as one change is in one batch, and so in one chunk.
            let mut changes = Vec::with_capacity(chunk.records.len());
            for record in &chunk.records {
                match decode(record) {
                    Ok(change) => changes.push(change),
                    Err(reason) => unreadable.add(record.offset..record.offset.next(), || reason),
                }
            }
            apply(&self.users, &self.acls, &self.quotas, &changes);
            journal.next = chunk.next;
        }
        journal.is_stale = false;
        Ok(unreadable)
    }
}

fn decode(record: &Record) -> Result<Change, String> {
    let key = record.key.as_deref().ok_or("a record without a key is no one's")?;
    Change::decode(key, record.value.as_deref())
}
