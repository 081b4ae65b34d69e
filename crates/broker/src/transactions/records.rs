//! The records of `__transaction_state`, in Kafka's own layout.
//!
//! ```text
//!   key    TransactionLogKey v0    i16 0 · transactional id
//!   value  TransactionLogValue v1  i16 1 · i64 producer id · i16 epoch · i32 timeout (ms) · i8 state
//!                                  · partitions? n × (topic · n × i32) · i64 last update · i64 started
//!                                  · tagged: 0 previous id · 1 next id · 2 version of the client
//!   text   key: i16 length · UTF-8     value: compact (KIP-482)
//! ```
//!
//! Invariants: any bytes decode to a record, to [`DecodedRecord::Foreign`], or to [`MalformedRecord`]; none panics, and
//! none makes room for more than the bytes that are there. Version 0 of the value is read too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use factum_types::{PartitionId, Timestamp, TopicName, TopicPartition, TransactionalId};

use super::transaction::{ProducerIdentity, Transaction, TransactionState, TransactionVersion};

const KEY_VERSION: i16 = 0;
const VALUE_VERSION: i16 = 1;
const PREVIOUS_ID: u64 = 0;
const NEXT_ID: u64 = 1;
const CLIENT_VERSION: u64 = 2;

/// A record as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DecodedRecord {
    /// A transactional id, or its removal.
    Transaction(TransactionalId, Option<Transaction>),
    /// A record of a kind or version that this server does not know.
    Foreign,
}

/// Bytes that are no record of any version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed {what} in a record of __transaction_state")]
pub(crate) struct MalformedRecord {
    what: &'static str,
}

/// The key's bytes.
pub(crate) fn encode_key(id: &TransactionalId) -> Bytes {
    let mut out = BytesMut::with_capacity(4 + id.as_str().len());
    out.put_i16(KEY_VERSION);
    out.put_i16(i16::try_from(id.as_str().len()).expect("an id is shorter than 256 bytes"));
    out.put_slice(id.as_str().as_bytes());
    out.freeze()
}

/// The value's bytes.
pub(crate) fn encode_value(transaction: &Transaction) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i16(VALUE_VERSION);
    out.put_i64(transaction.producer.id);
    out.put_i16(transaction.producer.epoch);
    out.put_i32(i32::try_from(transaction.timeout.as_millis()).unwrap_or(i32::MAX));
    out.put_i8(code_of(transaction.state));
    put_partitions(&mut out, transaction);
    out.put_i64(transaction.last_update.as_millis());
    out.put_i64(transaction.started.as_millis());
    put_tagged(&mut out, transaction);
    out.freeze()
}

fn put_partitions(out: &mut BytesMut, transaction: &Transaction) {
    if transaction.state == TransactionState::Empty {
        return put_varint(out, 0);
    }
    let mut topics: BTreeMap<&TopicName, Vec<PartitionId>> = BTreeMap::new();
    for partition in &transaction.partitions {
        topics.entry(&partition.topic).or_default().push(partition.partition);
    }
    put_varint(out, topics.len() as u64 + 1);
    for (topic, partitions) in topics {
        put_varint(out, topic.as_str().len() as u64 + 1);
        out.put_slice(topic.as_str().as_bytes());
        put_varint(out, partitions.len() as u64 + 1);
        for partition in partitions {
            out.put_i32(partition);
        }
        put_varint(out, 0);
    }
}

fn put_tagged(out: &mut BytesMut, transaction: &Transaction) {
    let ids = [(PREVIOUS_ID, transaction.previous_id), (NEXT_ID, transaction.next_id)];
    let ids: Vec<_> = ids.into_iter().filter_map(|(tag, id)| Some((tag, id?))).collect();
    let version = match transaction.version {
        TransactionVersion::V1 => None,
        TransactionVersion::V2 => Some(2_i16),
    };
    put_varint(out, (ids.len() + usize::from(version.is_some())) as u64);
    for (tag, id) in ids {
        put_varint(out, tag);
        put_varint(out, 8);
        out.put_i64(id);
    }
    if let Some(version) = version {
        put_varint(out, CLIENT_VERSION);
        put_varint(out, 2);
        out.put_i16(version);
    }
}

/// Reads a record; no value means that the transactional id is gone.
///
/// # Errors
/// [`MalformedRecord`] if the bytes end too soon or hold what their version cannot.
pub(crate) fn decode(key: &[u8], value: Option<&[u8]>) -> Result<DecodedRecord, MalformedRecord> {
    let mut key = Reader { rest: key, what: "key" };
    if key.i16()? != KEY_VERSION {
        return Ok(DecodedRecord::Foreign);
    }
    let length = usize::try_from(key.i16()?).map_err(|_| key.malformed())?;
    let id = TransactionalId::new(key.text(length)?).map_err(|_| key.malformed())?;
    match value.map(decode_value).transpose()? {
        Some(None) => Ok(DecodedRecord::Foreign),
        transaction => Ok(DecodedRecord::Transaction(id, transaction.flatten())),
    }
}

fn decode_value(value: &[u8]) -> Result<Option<Transaction>, MalformedRecord> {
    let mut value = Reader { rest: value, what: "transaction" };
    let version = value.i16()?;
    if !(0..=VALUE_VERSION).contains(&version) {
        return Ok(None);
    }
    let is_compact = version >= 1;
    let producer = ProducerIdentity { id: value.i64()?, epoch: value.i16()? };
    let timeout = u64::try_from(value.i32()?).map_err(|_| value.malformed())?;
    let code = value.i8()?;
    let state = TransactionState::ALL.into_iter().find(|state| code_of(*state) == code);
    let partitions = decode_partitions(&mut value, is_compact)?;
    let last_update = Timestamp::from_millis(value.i64()?);
    let started = Timestamp::from_millis(value.i64()?);
    let mut transaction = Transaction {
        state: state.ok_or(value.malformed())?,
        partitions,
        started,
        producer,
        ..Transaction::new(producer.id, Duration::from_millis(timeout), last_update)
    };
    if is_compact {
        decode_tagged(&mut value, &mut transaction)?;
    }
    Ok(Some(transaction))
}

fn decode_partitions(
    value: &mut Reader<'_>,
    is_compact: bool,
) -> Result<BTreeSet<TopicPartition>, MalformedRecord> {
    let mut found = BTreeSet::new();
    for _ in 0..value.length(is_compact)? {
        let length = if is_compact { value.length(true)? } else { u64::from(value.i16()?.unsigned_abs()) };
        let length = usize::try_from(length).map_err(|_| value.malformed())?;
        let topic = TopicName::new(value.text(length)?).map_err(|_| value.malformed())?;
        for _ in 0..value.length(is_compact)? {
            found.insert(TopicPartition::new(topic.clone(), value.i32()?));
        }
        if is_compact {
            value.skip_tagged()?;
        }
    }
    Ok(found)
}

fn decode_tagged(value: &mut Reader<'_>, transaction: &mut Transaction) -> Result<(), MalformedRecord> {
    for _ in 0..value.varint()? {
        let (tag, length) = (value.varint()?, value.varint()?);
        let length = usize::try_from(length).map_err(|_| value.malformed())?;
        let mut field = Reader { rest: value.take(length)?, what: "tagged field" };
        match tag {
            PREVIOUS_ID => transaction.previous_id = Some(field.i64()?),
            NEXT_ID => transaction.next_id = Some(field.i64()?),
            CLIENT_VERSION if field.i16()? >= 2 => transaction.version = TransactionVersion::V2,
            _ => {}
        }
    }
    Ok(())
}

fn code_of(state: TransactionState) -> i8 {
    match state {
        TransactionState::Empty => 0,
        TransactionState::Ongoing => 1,
        TransactionState::PrepareCommit => 2,
        TransactionState::PrepareAbort => 3,
        TransactionState::CompleteCommit => 4,
        TransactionState::CompleteAbort => 5,
    }
}

fn put_varint(out: &mut BytesMut, mut number: u64) {
    while number >= 0x80 {
        out.put_u8((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    out.put_u8(number as u8);
}

/// What is left of a record.
struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    fn malformed(&self) -> MalformedRecord {
        MalformedRecord { what: self.what }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], MalformedRecord> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(self.malformed())?;
        self.rest = rest;
        Ok(taken)
    }

    fn i8(&mut self) -> Result<i8, MalformedRecord> {
        Ok(self.take(1)?.get_i8())
    }

    fn i16(&mut self) -> Result<i16, MalformedRecord> {
        Ok(self.take(2)?.get_i16())
    }

    fn i32(&mut self) -> Result<i32, MalformedRecord> {
        Ok(self.take(4)?.get_i32())
    }

    fn i64(&mut self) -> Result<i64, MalformedRecord> {
        Ok(self.take(8)?.get_i64())
    }

    fn varint(&mut self) -> Result<u64, MalformedRecord> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.malformed())
    }

    /// How many there are: none where the array is absent.
    fn length(&mut self, is_compact: bool) -> Result<u64, MalformedRecord> {
        if is_compact {
            return Ok(self.varint()?.saturating_sub(1));
        }
        Ok(u64::try_from(self.i32()?).unwrap_or(0))
    }

    fn text(&mut self, length: usize) -> Result<&'a str, MalformedRecord> {
        std::str::from_utf8(self.take(length)?).map_err(|_| self.malformed())
    }

    fn skip_tagged(&mut self) -> Result<(), MalformedRecord> {
        for _ in 0..self.varint()? {
            let (_, length) = (self.varint()?, self.varint()?);
            self.take(usize::try_from(length).map_err(|_| self.malformed())?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
