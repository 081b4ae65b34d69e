//! The leader epochs of a partition: which ruled from which offset on (KIP-101).
//!
//! Invariants: epochs and start offsets rise together; the list always has a first entry. It is written
//! once, when the log is opened, before the first batch of a new epoch, so that every batch can be held
//! against it.

use std::io;
use std::path::Path;

use bytes::{Buf, BufMut};
use factum_types::{BatchHeader, LeaderEpoch, Offset};

use crate::checkpoint::get_offset;
use crate::checksum::{self, Kind};
use crate::disk::{Disk, read_file, write_atomically};

const KIND: Kind = *b"FCTEPOC1";
const ENTRY_BYTES: usize = 12;

/// Which epoch ruled where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Epochs(Vec<(LeaderEpoch, Offset)>);

impl Epochs {
    /// A log that begins at `start` under epoch 0.
    pub(crate) fn starting_at(start: Offset) -> Self {
        Self(vec![(0, start)])
    }

    /// Reads the list; `None` if it is missing or not whole.
    pub(crate) fn load(disk: &dyn Disk, path: &Path) -> io::Result<Option<Self>> {
        Ok(read_file(disk, path)?.and_then(|bytes| Self::decode(&bytes)))
    }

    /// Makes the list durable.
    pub(crate) fn save(&self, disk: &dyn Disk, path: &Path) -> io::Result<()> {
        write_atomically(disk, path, &self.encode())
    }

    /// The bytes of the list's file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(self.0.len() * ENTRY_BYTES);
        for (epoch, start) in &self.0 {
            payload.put_i32(*epoch);
            payload.put_i64(start.get());
        }
        checksum::seal(KIND, &payload)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let payload = checksum::unseal(KIND, bytes)?;
        let entry = |mut entry: &[u8]| Some((entry.try_get_i32().ok()?, get_offset(&mut entry)?));
        let entries: Vec<_> = payload.chunks(ENTRY_BYTES).map(entry).collect::<Option<_>>()?;
        let rises = entries.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1);
        (rises && !entries.is_empty()).then_some(Self(entries))
    }

    /// The epoch that appends now.
    pub(crate) fn current(&self) -> LeaderEpoch {
        self.last().0
    }

    /// The epoch that ruled at `offset`.
    pub(crate) fn at(&self, offset: Offset) -> LeaderEpoch {
        let after = self.0.partition_point(|(_, start)| *start <= offset);
        self.0[after.saturating_sub(1)].0
    }

    /// Lets a new epoch rule from `end` on.
    pub(crate) fn bump(&mut self, end: Offset) {
        let next = self.current() + 1;
        self.0.retain(|(_, start)| *start < end);
        self.0.push((next, end));
    }

    /// Takes note of a batch while the list is rebuilt from the log.
    pub(crate) fn observe(&mut self, header: &BatchHeader) {
        let (current, start) = self.last();
        let base = Offset::new(header.base_offset);
        if header.leader_epoch > current && base > start {
            self.0.push((header.leader_epoch, base));
        } else if header.leader_epoch > current {
            self.0 = vec![(header.leader_epoch, base)];
        }
    }

    /// The greatest epoch not above `asked`, and where it ended; `None` if the log never got that far.
    pub(crate) fn end_of(&self, asked: LeaderEpoch, log_end: Offset) -> Option<(LeaderEpoch, Offset)> {
        let after = self.0.partition_point(|(epoch, _)| *epoch <= asked);
        let end = self.0.get(after).map_or(log_end, |(_, start)| *start);
        match after.checked_sub(1) {
            Some(at) if asked <= self.current() => Some((self.0[at].0, end)),
            None if asked >= 0 => Some((asked, end)),
            _ => None,
        }
    }

    fn last(&self) -> (LeaderEpoch, Offset) {
        *self.0.last().expect("the list always has a first entry")
    }
}
