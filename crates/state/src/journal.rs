//! Journal entries (docs/format/state.md).
//!
//! The journal is an ordinary [`factum_log::PartitionLog`]; each record is one entry, its key the task's name:
//!
//! ```text
//!   key    owner \0 name \0 partition (decimal); without the owner, which was "sql", before there were owners
//!   value  format u8 = 2 │ kind u8 │ fence u64 │ body            little-endian throughout
//!   body   1 an epoch            progress │ changes (to the end)
//!          2 a take-over         empty
//!          3 a forgetting        empty
//!          4 a loss              progress │ reason
//!          5 its acknowledgement empty
//!          6 a snapshot taken    number of the snapshot u64 │ progress, without outbox
//! ```
//!
//! Invariants: an entry decodes to what was encoded, or not at all; the log's checksums guard its bytes, so
//! one that does not decode was written by another version. Format 1 had kinds 1 to 3, and keys without an owner.

use bytes::{BufMut, Bytes};

use crate::codec::{self, Take, Unreadable};
use crate::{Epoch, Fence, Loss, Owner, Progress, TaskId, epoch};

/// What is written; each before it is read.
const FORMAT: u8 = 2;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The task has a new holder.
    TakenOver,
    /// The task and its rows are gone.
    Forgotten,
    /// An epoch was committed.
    Committed {
        /// How far the task is with it.
        progress: Progress,
        /// Packed [`crate::Changes`].
        changes: Bytes,
    },
    /// Damage took the task's rows; it starts over.
    Lost(Loss),
    /// The owner was told of the loss.
    LossAcknowledged,
    /// All of the task before this entry is in a snapshot.
    SnapshotTaken {
        /// The snapshot's number.
        number: u64,
        /// How far the task was in it; without its outbox.
        progress: Progress,
    },
}

pub(crate) fn encode_task(task: &TaskId) -> Vec<u8> {
    format!("{}\0{}\0{}", task.owner(), task.name(), task.partition()).into_bytes()
}

pub(crate) fn decode_task(key: &[u8]) -> Result<TaskId, Unreadable> {
    let text = std::str::from_utf8(key).map_err(|_| Unreadable)?;
    let (task, partition) = text.rsplit_once('\0').ok_or(Unreadable)?;
    let (owner, name) = match task.split_once('\0') {
        Some((owner, name)) => (Owner::stored(owner).ok_or(Unreadable)?, name),
        None => (Owner::FIRST, task),
    };
    Ok(TaskId::new(owner, name, partition.parse().map_err(|_| Unreadable)?))
}

/// Encodes any entry but an epoch, which is encoded from where its rows are.
pub(crate) fn encode_mark(fence: Fence, entry: &Entry) -> Vec<u8> {
    let kind = match entry {
        Entry::Committed { .. } => 1,
        Entry::TakenOver => 2,
        Entry::Forgotten => 3,
        Entry::Lost(_) => 4,
        Entry::LossAcknowledged => 5,
        Entry::SnapshotTaken { .. } => 6,
    };
    let mut value = vec![FORMAT, kind];
    value.put_u64_le(fence.get());
    match entry {
        Entry::TakenOver | Entry::Forgotten | Entry::LossAcknowledged => {}
        Entry::Lost(loss) => codec::put_loss(&mut value, loss),
        Entry::SnapshotTaken { number, progress } => {
            value.put_u64_le(*number);
            codec::put_progress_of(&mut value, &Progress { outbox: Vec::new(), ..progress.clone() });
        }
        Entry::Committed { progress, changes } => {
            codec::put_progress_of(&mut value, progress);
            value.put_slice(changes);
        }
    }
    value
}

/// Encodes a commit of `epoch` as the task's epoch `number`.
pub(crate) fn encode_epoch(fence: Fence, number: u64, epoch: &Epoch) -> Vec<u8> {
    let mut value = Vec::with_capacity(256 + epoch.changes.as_bytes().len());
    value.extend_from_slice(&[FORMAT, 1]);
    value.put_u64_le(fence.get());
    codec::put_progress(&mut value, number, epoch.watermark, &epoch.offsets, &epoch.outbox);
    value.put_slice(epoch.changes.as_bytes());
    value
}

pub(crate) fn decode(mut value: Bytes) -> Result<(Fence, Entry), Unreadable> {
    let format = u8::take(&mut value)?;
    let kind = u8::take(&mut value)?;
    let fence = Fence::new(u64::take(&mut value)?);
    let entry = match (format, kind) {
        (1..=FORMAT, 1) => Entry::Committed { progress: codec::progress(&mut value)?, changes: value },
        (1..=FORMAT, 2) => Entry::TakenOver,
        (1..=FORMAT, 3) => Entry::Forgotten,
        (2, 4) => Entry::Lost(codec::loss(&mut value)?),
        (2, 5) => Entry::LossAcknowledged,
        (2, 6) => {
            Entry::SnapshotTaken { number: u64::take(&mut value)?, progress: codec::progress(&mut value)? }
        }
        _ => return Err(Unreadable),
    };
    match &entry {
        Entry::Committed { changes, .. } if !epoch::is_whole(changes) => Err(Unreadable),
        _ => Ok((fence, entry)),
    }
}

#[cfg(test)]
mod tests {
    use factum_types::{Offset, TopicName, TopicPartition};

    use super::*;
    use crate::{Changes, Outgoing};

    fn epoch() -> Epoch {
        let topic = TopicName::new("store.orders").expect("valid");
        let mut changes = Changes::new();
        changes.put(1, b"key", b"value");
        Epoch {
            changes,
            offsets: vec![(TopicPartition::new(topic, 3), Offset::new(41))],
            watermark: Some(-5),
            outbox: vec![Outgoing {
                topic: "store.alerts".to_owned(),
                key: None,
                value: Some(Bytes::from_static(b"v")),
                headers: vec![("h".to_owned(), Bytes::from_static(b""))],
            }],
        }
    }

    #[test]
    fn an_epoch_comes_back_whole_and_never_in_part() {
        let (epoch, fence) = (epoch(), Fence::new(7));
        let value = Bytes::from(encode_epoch(fence, 12, &epoch));
        let progress = Progress {
            epoch: 12,
            offsets: epoch.offsets.clone(),
            watermark: epoch.watermark,
            outbox: epoch.outbox.clone(),
        };
        let changes = Bytes::copy_from_slice(epoch.changes.as_bytes());
        assert_eq!(decode(value.clone()), Ok((fence, Entry::Committed { progress, changes })));
        let whole_without_changes = value.len() - epoch.changes.as_bytes().len();
        for length in (0..value.len()).filter(|length| *length != whole_without_changes) {
            assert_eq!(decode(value.slice(..length)), Err(Unreadable), "{length}");
        }
    }

    #[test]
    fn marks_come_back() {
        let progress = Progress { epoch: 9, watermark: Some(3), ..Progress::default() };
        let loss = Loss { progress: progress.clone(), reason: "snapshot 3 is damaged".to_owned() };
        for entry in [
            Entry::TakenOver,
            Entry::Forgotten,
            Entry::Lost(loss),
            Entry::LossAcknowledged,
            Entry::SnapshotTaken { number: 4, progress },
        ] {
            let value = Bytes::from(encode_mark(Fence::new(5), &entry));
            assert_eq!(decode(value), Ok((Fence::new(5), entry)));
        }
    }

    #[test]
    fn a_task_name_comes_back() {
        let task = TaskId::new(Owner::from_static("delivery"), "store.top_movies@3f", 2);
        assert_eq!(decode_task(&encode_task(&task)), Ok(task));
    }

    #[test]
    fn a_task_without_an_owner_belongs_to_the_first_one() {
        let task = TaskId::new(Owner::from_static("sql"), "store.top_movies@3f", 2);
        assert_eq!(decode_task(b"store.top_movies@3f\x002"), Ok(task));
    }
}
