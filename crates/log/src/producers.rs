//! State of idempotent producers: the last five batches of each, so that a batch sent again is
//! recognised and one that got ahead of its predecessor is refused (KIP-98, KIP-360).
//!
//! Invariants: the state is a function of the batches in the log, in order. A snapshot of it is a cache;
//! what the log gained since is replayed from the batch headers.
//!
//! Not here: drawing producer ids, transactions.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::{Buf, BufMut};
use factum_types::{BatchHeader, Offset, ProducerEpoch, ProducerId, Timestamp};

use crate::append::AppendError;
use crate::checkpoint::get_offset;
use crate::checksum::{self, Kind};

const KIND: Kind = *b"FCTPROD1";
/// As many as a client may have in flight (`max.in.flight.requests.per.connection` with idempotence).
const REMEMBERED_BATCHES: usize = 5;

/// Most producers that one log remembers; ids cost a client nothing (KIP-854 thinks of the same).
const MAX_PRODUCERS: usize = 10_000;

/// The idempotent producers of one log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Producers(HashMap<ProducerId, Producer>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Producer {
    epoch: ProducerEpoch,
    /// [`Timestamp::NONE`] after a replay, which cannot know: a record's own time is its producer's to choose.
    last_append: Timestamp,
    /// Oldest first, never empty.
    batches: VecDeque<AppendedBatch>,
}

/// A batch that is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AppendedBatch {
    first_sequence: i32,
    last_sequence: i32,
    /// Offset of its first record.
    pub(crate) base: Offset,
    /// Offset of its last record.
    pub(crate) last: Offset,
}

impl Producers {
    /// Whether a batch may be appended (`None`), or which one it repeats.
    pub(crate) fn check(&self, header: &BatchHeader) -> Result<Option<AppendedBatch>, AppendError> {
        if !header.is_idempotent() {
            return Ok(None);
        }
        let (producer_id, found) = (header.producer_id, header.base_sequence);
        let out_of_order = |expected| Err(AppendError::OutOfOrderSequence { producer_id, expected, found });
        let known = self.0.get(&producer_id);
        let current = known.map_or(0, |producer| producer.epoch);
        if header.producer_epoch < current {
            return Err(AppendError::InvalidProducerEpoch {
                producer_id,
                current,
                found: header.producer_epoch,
            });
        }
        match known {
            _ if found < 0 => out_of_order(0),
            None => Ok(None),
            Some(producer) if header.producer_epoch > producer.epoch => {
                if found == 0 {
                    Ok(None)
                } else {
                    out_of_order(0)
                }
            }
            Some(producer) => match (producer.repeated(header), producer.expected()) {
                (Some(sent), _) => Ok(Some(sent)),
                (None, expected) if expected == found => Ok(None),
                (None, expected) => out_of_order(expected),
            },
        }
    }

    /// Takes note of a batch that is in the log now.
    pub(crate) fn record(&mut self, header: &BatchHeader, appended_at: Timestamp) {
        if !header.is_idempotent() {
            return;
        }
        let epoch = header.producer_epoch;
        let fresh = || Producer { epoch, last_append: appended_at, batches: VecDeque::new() };
        let producer = self.0.entry(header.producer_id).or_insert_with(fresh);
        if producer.epoch != epoch {
            *producer = fresh();
        }
        producer.last_append = appended_at;
        producer.batches.push_back(AppendedBatch {
            first_sequence: header.base_sequence,
            last_sequence: last_sequence(header),
            base: Offset::new(header.base_offset),
            last: Offset::new(header.last_offset()),
        });
        if producer.batches.len() > REMEMBERED_BATCHES {
            producer.batches.pop_front();
        }
        if self.0.len() > MAX_PRODUCERS {
            self.forget_oldest();
        }
    }

    /// Forgets the tenth that wrote longest ago, so that this is done seldom.
    fn forget_oldest(&mut self) {
        let latest = |producer: &Producer| producer.batches.back().map_or(Offset::ZERO, |sent| sent.last);
        let mut offsets: Vec<_> = self.0.values().map(latest).collect();
        let (_, oldest_kept, _) = offsets.select_nth_unstable(MAX_PRODUCERS / 10);
        let oldest_kept = *oldest_kept;
        self.0.retain(|_, producer| latest(producer) >= oldest_kept);
    }

    /// Forgets producers that appended nothing for `expiry`. One that no one could date is dated `now`: it was no
    /// later.
    pub(crate) fn expire(&mut self, now: Timestamp, expiry: Duration) {
        for producer in self.0.values_mut().filter(|producer| producer.last_append == Timestamp::NONE) {
            producer.last_append = now;
        }
        let cutoff = now.minus(expiry);
        self.0.retain(|_, producer| producer.last_append >= cutoff);
    }

    /// The bytes of a snapshot taken where the log ended at `end`.
    pub(crate) fn encode(&self, end: Offset) -> Vec<u8> {
        let mut payload = Vec::new();
        payload.put_i64(end.get());
        for (id, producer) in &self.0 {
            payload.put_i64(*id);
            payload.put_i16(producer.epoch);
            payload.put_i64(producer.last_append.as_millis());
            payload.put_u8(u8::try_from(producer.batches.len()).expect("at most five batches are kept"));
            for sent in &producer.batches {
                payload.put_i32(sent.first_sequence);
                payload.put_i32(sent.last_sequence);
                payload.put_i64(sent.base.get());
                payload.put_i64(sent.last.get());
            }
        }
        checksum::seal(KIND, &payload)
    }

    /// Reads a snapshot and the log end it was taken at; `None` if it is not whole.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(Offset, Self)> {
        let mut payload = checksum::unseal(KIND, bytes)?;
        let end = get_offset(&mut payload)?;
        let mut producers = HashMap::new();
        while payload.has_remaining() {
            let id = payload.try_get_i64().ok()?;
            producers.insert(id, decode_producer(&mut payload)?);
        }
        Some((end, Self(producers)))
    }
}

impl Producer {
    fn repeated(&self, header: &BatchHeader) -> Option<AppendedBatch> {
        let range = (header.base_sequence, last_sequence(header));
        self.batches.iter().find(|sent| (sent.first_sequence, sent.last_sequence) == range).copied()
    }

    fn expected(&self) -> i32 {
        self.batches.back().map_or(0, |sent| after(sent.last_sequence, 1))
    }
}

fn decode_producer(payload: &mut &[u8]) -> Option<Producer> {
    let epoch = payload.try_get_i16().ok()?;
    let last_append = Timestamp::from_millis(payload.try_get_i64().ok()?);
    let count = payload.try_get_u8().ok()?;
    let batches = (0..count).map(|_| decode_sent(payload)).collect::<Option<_>>()?;
    Some(Producer { epoch, last_append, batches })
}

fn decode_sent(payload: &mut &[u8]) -> Option<AppendedBatch> {
    Some(AppendedBatch {
        first_sequence: payload.try_get_i32().ok()?,
        last_sequence: payload.try_get_i32().ok()?,
        base: get_offset(payload)?,
        last: get_offset(payload)?,
    })
}

fn last_sequence(header: &BatchHeader) -> i32 {
    after(header.base_sequence, header.last_offset_delta)
}

/// The sequence number `records` further on; behind `i32::MAX` they begin again at 0.
fn after(sequence: i32, records: i32) -> i32 {
    sequence.wrapping_add(records) & i32::MAX
}

#[cfg(test)]
mod tests {
    use factum_types::BatchBuilder;

    use super::*;

    #[test]
    fn the_producers_that_wrote_last_are_remembered() {
        let mut producers = Producers::default();
        let header = |id: i64| {
            let mut builder = BatchBuilder::new().producer(id, 0, 0);
            builder.push(Timestamp::NONE, None, None, &[]);
            let mut batch = builder.build();
            batch.place(Offset::new(id), 0);
            *batch.header()
        };
        for id in 0..25_000 {
            producers.record(&header(id), Timestamp::NONE);
            assert!(producers.0.len() <= MAX_PRODUCERS);
        }
        let oldest = producers.0.keys().min().copied().expect("some are kept");
        assert_eq!(producers.0.len() as i64, 25_000 - oldest, "the latest are kept, without a gap");
        assert!(producers.0.len() >= MAX_PRODUCERS * 9 / 10);
    }
}
