//! State of idempotent producers: the last five batches of each, so that a batch sent again is
//! recognised and one that got ahead of its predecessor is refused, and where its open transaction began
//! (KIP-98, KIP-360).
//!
//! Invariants: the state is a function of the batches in the log, in order. A snapshot of it is a cache;
//! what the log gained since is replayed from the batches' headers and markers. A producer with an open transaction
//! is not forgotten.
//!
//! Not here: drawing producer ids; whether a producer may write in a transaction, which its coordinator knows.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::{Buf, BufMut};
use factum_types::record::TransactionMarker;
use factum_types::{BatchHeader, Offset, ProducerEpoch, ProducerId, Timestamp};

use crate::append::AppendError;
use crate::checkpoint::get_offset;
use crate::checksum::{self, Kind};
use crate::end_transaction::EndTransaction;
use crate::partition_log::PartitionLog;

const KIND: Kind = *b"FCTPROD2";
/// Without transactions, as it was written before there were any.
const KIND_WITHOUT_TRANSACTIONS: Kind = *b"FCTPROD1";
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
    /// Its last record or marker.
    last: Offset,
    /// The first record of its open transaction.
    open: Option<Offset>,
    /// Epoch of the coordinator that ended its last transaction; -1 if none has.
    coordinator_epoch: i32,
    /// Whether a marker began its epoch, whose first sequence number is then 0.
    is_begun_by_marker: bool,
    /// Oldest first; none since a marker began its epoch, or if a marker is all that is left of it.
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
        self.check_epoch(header)?;
        let (producer_id, found) = (header.producer_id, header.base_sequence);
        let out_of_order = |expected| Err(AppendError::OutOfOrderSequence { producer_id, expected, found });
        let known = self.0.get(&producer_id);
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
                (None, Some(expected)) if expected != found => out_of_order(expected),
                (None, _) => Ok(None),
            },
        }
    }

    /// Whether a batch may be appended as far as its epoch and its producer's open transaction are concerned.
    pub(crate) fn check_epoch(&self, header: &BatchHeader) -> Result<(), AppendError> {
        let (producer_id, found) = (header.producer_id, header.producer_epoch);
        let Some(producer) = self.0.get(&producer_id) else { return Ok(()) };
        if found < producer.epoch {
            let current = producer.epoch;
            return Err(AppendError::InvalidProducerEpoch { producer_id, current, found });
        }
        if producer.open.is_some() && !header.is_transactional() {
            return Err(AppendError::NotTransactional { producer_id });
        }
        Ok(())
    }

    /// Whether the transaction of a producer may be ended by a coordinator, in these epochs.
    pub(crate) fn check_end(&self, end: &EndTransaction) -> Result<(), AppendError> {
        let Some(producer) = self.0.get(&end.producer_id) else { return Ok(()) };
        if end.producer_epoch < producer.epoch {
            return Err(AppendError::InvalidProducerEpoch {
                producer_id: end.producer_id,
                current: producer.epoch,
                found: end.producer_epoch,
            });
        }
        if end.coordinator_epoch < producer.coordinator_epoch {
            let (current, found) = (producer.coordinator_epoch, end.coordinator_epoch);
            return Err(AppendError::CoordinatorFenced { current, found });
        }
        Ok(())
    }

    /// The last offsets of the batches that tell where each producer stands: its last one of records, and its last one.
    pub(crate) fn last_offsets(&self) -> impl Iterator<Item = Offset> {
        self.0.values().flat_map(|producer| {
            let records = producer.batches.back().map(|batch| batch.last);
            records.into_iter().chain([producer.last])
        })
    }

    /// The first record of the open transaction of a producer.
    pub(crate) fn open_since(&self, id: ProducerId) -> Option<Offset> {
        self.0.get(&id)?.open
    }

    /// The first records of all open transactions.
    pub(crate) fn open_transactions(&self) -> impl Iterator<Item = Offset> {
        self.0.values().filter_map(|producer| producer.open)
    }

    /// Takes note of a batch that is in the log now; `marker` is what it says if it is a control batch.
    pub(crate) fn record(
        &mut self,
        header: &BatchHeader,
        marker: Option<&TransactionMarker>,
        appended_at: Timestamp,
    ) -> TransactionChange {
        if !header.is_idempotent() || (header.is_control() && marker.is_none()) {
            return TransactionChange::None;
        }
        let epoch = header.producer_epoch;
        let producer = self.0.entry(header.producer_id).or_insert_with(|| Producer::new(epoch));
        if producer.epoch != epoch {
            let (open, coordinator_epoch) = (producer.open, producer.coordinator_epoch);
            let is_begun_by_marker = marker.is_some();
            *producer = Producer { open, coordinator_epoch, is_begun_by_marker, ..Producer::new(epoch) };
        }
        producer.last_append = appended_at;
        producer.last = Offset::new(header.last_offset());
        let change = match marker {
            Some(marker) => producer.end_transaction(marker),
            None => producer.add(header),
        };
        if self.0.len() > MAX_PRODUCERS {
            self.forget_oldest();
        }
        change
    }

    /// Forgets the tenth that wrote longest ago, so that this is done seldom.
    fn forget_oldest(&mut self) {
        let mut offsets: Vec<_> = self.0.values().map(|producer| producer.last).collect();
        let (_, oldest_kept, _) = offsets.select_nth_unstable(MAX_PRODUCERS / 10);
        let oldest_kept = *oldest_kept;
        self.0.retain(|_, producer| producer.last >= oldest_kept || producer.open.is_some());
    }

    /// Forgets what they sent, and keeps their epochs: batches that the log no longer has may have followed, and markers.
    pub(crate) fn forget_batches(&mut self) {
        for producer in self.0.values_mut() {
            producer.batches.clear();
            producer.open = None;
            producer.is_begun_by_marker = false;
        }
    }

    /// Forgets producers that appended nothing for `expiry`. One that no one could date is dated `now`: it was no
    /// later.
    pub(crate) fn expire(&mut self, now: Timestamp, expiry: Duration) {
        for producer in self.0.values_mut().filter(|producer| producer.last_append == Timestamp::NONE) {
            producer.last_append = now;
        }
        let cutoff = now.minus(expiry);
        self.0.retain(|_, producer| producer.last_append >= cutoff || producer.open.is_some());
    }

    /// The bytes of a snapshot taken where the log ended at `end`.
    pub(crate) fn encode(&self, end: Offset) -> Vec<u8> {
        let mut payload = Vec::new();
        payload.put_i64(end.get());
        let mut producers: Vec<_> = self.0.iter().collect();
        producers.sort_unstable_by_key(|(id, _)| **id);
        for (id, producer) in producers {
            payload.put_i64(*id);
            payload.put_i16(producer.epoch);
            payload.put_i64(producer.last_append.as_millis());
            payload.put_i64(producer.last.get());
            payload.put_i64(producer.open.map_or(-1, Offset::get));
            payload.put_i32(producer.coordinator_epoch);
            payload.put_u8(u8::from(producer.is_begun_by_marker));
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
        let (mut payload, decode) = match checksum::unseal(KIND, bytes) {
            Some(payload) => (payload, decode_producer as fn(&mut &[u8]) -> _),
            None => (checksum::unseal(KIND_WITHOUT_TRANSACTIONS, bytes)?, decode_without_transactions as _),
        };
        let end = get_offset(&mut payload)?;
        let mut producers = HashMap::new();
        while payload.has_remaining() {
            let id = payload.try_get_i64().ok()?;
            producers.insert(id, decode(&mut payload)?);
        }
        Some((end, Self(producers)))
    }
}

/// An idempotent producer, as an operator sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerInfo {
    /// Its id.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// Sequence number of its last record, if the log still knows it.
    pub last_sequence: Option<i32>,
    /// When it appended last; [`Timestamp::NONE`] if a restart could not know.
    pub last_append: Timestamp,
    /// Epoch of the coordinator that ended its last transaction, if one has.
    pub coordinator_epoch: Option<i32>,
    /// The first record of its open transaction, if it has one.
    pub open_since: Option<Offset>,
}

impl PartitionLog {
    /// The idempotent producers that the log remembers, by id; at most about 10,000.
    pub fn producers(&self) -> Vec<ProducerInfo> {
        let writer = self.0.writer.lock();
        let mut producers: Vec<_> =
            writer.producers.0.iter().map(|(id, producer)| producer.info(*id)).collect();
        drop(writer);
        producers.sort_unstable_by_key(|producer| producer.id);
        producers
    }
}

/// What a batch did to the transaction of its producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactionChange {
    None,
    /// It began at the batch.
    Begun,
    /// The one that began at `first` ended.
    Ended {
        first: Offset,
    },
}

impl Producer {
    fn new(epoch: ProducerEpoch) -> Self {
        Self {
            epoch,
            last_append: Timestamp::NONE,
            last: Offset::ZERO,
            open: None,
            coordinator_epoch: -1,
            is_begun_by_marker: false,
            batches: VecDeque::new(),
        }
    }

    fn info(&self, id: ProducerId) -> ProducerInfo {
        ProducerInfo {
            id,
            epoch: self.epoch,
            last_sequence: self.batches.back().map(|sent| sent.last_sequence),
            last_append: self.last_append,
            coordinator_epoch: Some(self.coordinator_epoch).filter(|epoch| *epoch >= 0),
            open_since: self.open,
        }
    }

    /// Takes note of a batch of records.
    fn add(&mut self, header: &BatchHeader) -> TransactionChange {
        let base = Offset::new(header.base_offset);
        // The server's own batches in a transaction have none.
        if header.base_sequence >= 0 {
            self.batches.push_back(AppendedBatch {
                first_sequence: header.base_sequence,
                last_sequence: last_sequence(header),
                base,
                last: Offset::new(header.last_offset()),
            });
        }
        if self.batches.len() > REMEMBERED_BATCHES {
            self.batches.pop_front();
        }
        if header.is_transactional() && self.open.is_none() {
            self.open = Some(base);
            return TransactionChange::Begun;
        }
        TransactionChange::None
    }

    fn end_transaction(&mut self, marker: &TransactionMarker) -> TransactionChange {
        self.coordinator_epoch = marker.coordinator_epoch;
        self.open.take().map_or(TransactionChange::None, |first| TransactionChange::Ended { first })
    }

    fn repeated(&self, header: &BatchHeader) -> Option<AppendedBatch> {
        let range = (header.base_sequence, last_sequence(header));
        self.batches.iter().find(|sent| (sent.first_sequence, sent.last_sequence) == range).copied()
    }

    /// The sequence number that comes next; `None` if the log no longer has the batches that would tell.
    fn expected(&self) -> Option<i32> {
        let begun = self.is_begun_by_marker.then_some(0);
        self.batches.back().map_or(begun, |sent| Some(after(sent.last_sequence, 1)))
    }
}

fn decode_producer(payload: &mut &[u8]) -> Option<Producer> {
    let epoch = payload.try_get_i16().ok()?;
    let last_append = Timestamp::from_millis(payload.try_get_i64().ok()?);
    let last = get_offset(payload)?;
    let open = payload.try_get_i64().ok()?;
    let open = (open >= 0).then(|| Offset::new(open));
    let coordinator_epoch = payload.try_get_i32().ok()?;
    let is_begun_by_marker = payload.try_get_u8().ok()? != 0;
    let batches = decode_batches(payload)?;
    Some(Producer { epoch, last_append, last, open, coordinator_epoch, is_begun_by_marker, batches })
}

fn decode_without_transactions(payload: &mut &[u8]) -> Option<Producer> {
    let epoch = payload.try_get_i16().ok()?;
    let last_append = Timestamp::from_millis(payload.try_get_i64().ok()?);
    let batches = decode_batches(payload)?;
    let last = batches.back()?.last;
    Some(Producer { last_append, last, batches, ..Producer::new(epoch) })
}

fn decode_batches(payload: &mut &[u8]) -> Option<VecDeque<AppendedBatch>> {
    let count = payload.try_get_u8().ok()?;
    (0..count).map(|_| decode_sent(payload)).collect()
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
            producers.record(&header(id), None, Timestamp::NONE);
            assert!(producers.0.len() <= MAX_PRODUCERS);
        }
        let oldest = producers.0.keys().min().copied().expect("some are kept");
        assert_eq!(producers.0.len() as i64, 25_000 - oldest, "the latest are kept, without a gap");
        assert!(producers.0.len() >= MAX_PRODUCERS * 9 / 10);
    }
}
