//! Reading what is on the log, from where it was read to.

use std::fmt;
use std::time::Duration;

use factum_eventlog::{AdminError, Position};
use factum_types::{Record, TopicPartition};

use super::{Change, ChangeError, Inner, Journal, topic};

const READ_BYTES: usize = 1024 * 1024;
/// Everything read here is behind the high watermark already: longer than this means that the log is ill.
const READ_WAIT: Duration = Duration::from_secs(10);
/// How many records that cannot be read are named; the others are counted.
const MAX_LISTED: usize = 20;

/// The records that were passed over in a reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnreadableAccess {
    /// Where and why, one line each; nothing of a value.
    pub listed: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

impl UnreadableAccess {
    /// Whether nothing was passed over.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    fn add(&mut self, line: impl FnOnce() -> String) {
        match self.listed.len() < MAX_LISTED {
            true => self.listed.push(line()),
            false => self.more += 1,
        }
    }
}

impl fmt::Display for UnreadableAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.listed.join("; "))?;
        match self.more {
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
                unreadable.add(|| format!("offsets {} to {}: {}", hole.from, hole.next, hole.reason));
            }
            for record in &chunk.records {
                if let Err(reason) = self.take(record) {
                    unreadable.add(|| format!("offset {}: {reason}", record.offset));
                }
            }
            journal.next = chunk.next;
        }
        journal.is_stale = false;
        Ok(unreadable)
    }

    fn take(&self, record: &Record) -> Result<(), String> {
        let key = record.key.as_deref().ok_or("a record without a key is no one's")?;
        self.apply(&Change::decode(key, record.value.as_deref())?);
        Ok(())
    }
}
