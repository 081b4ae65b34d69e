//! The records of `__consumer_offsets`, in Kafka's own layout.
//!
//! ```text
//!   key    OffsetCommitKey v1     i16 1 · group · topic · i32 partition
//!          GroupMetadataKey v2    i16 2 · group
//!   value  OffsetCommitValue v3   i16 3 · i64 offset · i32 leader epoch · metadata · i64 committed at
//!          GroupMetadataValue v3  i16 3 · protocol type · i32 generation · protocol? · leader? · i64 since
//!                                 · i32 count × (id · instance? · client id · client host
//!                                   · i32 rebalance timeout · i32 session timeout · subscription · assignment)
//!          consumer groups have records of their own (consumer_group/records.rs)
//!   text   i16 length (-1 where absent) · UTF-8        bytes   i32 length · bytes
//! ```
//!
//! Invariants: any bytes decode to a record, to [`DecodedRecord::Foreign`], or to [`MalformedRecord`]; none panics, and none
//! makes room for more than the bytes that are there. Older versions of the values are read; newer are foreign.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use factum_types::{GroupId, Timestamp, TopicId, TopicName, TopicPartition};

use super::CommittedOffset;
use super::consumer_group::records::{self as consumer_records, ConsumerRecord};

const OFFSET_KEY_VERSION: i16 = 1;
const GROUP_KEY_VERSION: i16 = 2;
const VALUE_VERSION: i16 = 3;

/// What a record is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Offset(GroupId, TopicPartition),
    Group(GroupId),
}

/// A committed offset with the time of its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredOffset {
    pub(crate) committed: CommittedOffset,
    pub(crate) committed_at: Timestamp,
}

/// A group at the end of a rebalance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupMetadata {
    pub(crate) protocol_type: String,
    pub(crate) generation: i32,
    pub(crate) protocol: Option<String>,
    pub(crate) leader: Option<String>,
    pub(crate) members: Vec<StoredMember>,
}

/// One of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredMember {
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) session_timeout: Duration,
    pub(crate) subscription: Bytes,
    pub(crate) assignment: Bytes,
}

/// A record as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DecodedRecord {
    /// An offset, or its removal.
    Offset(GroupId, TopicPartition, Option<StoredOffset>),
    /// A group with the time at which it took its state, or its removal.
    Group(GroupId, Option<(GroupMetadata, Timestamp)>),
    /// A change of a group of the consumer protocol.
    Consumer(GroupId, ConsumerRecord),
    /// A record of a kind or version that this server does not know.
    Foreign,
}

/// Bytes that are no record of any version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed {what} in a record of __consumer_offsets")]
pub(crate) struct MalformedRecord {
    what: &'static str,
}

/// The key's bytes.
pub(crate) fn encode_key(key: &Key) -> Bytes {
    let mut out = BytesMut::new();
    match key {
        Key::Offset(group, partition) => {
            out.put_i16(OFFSET_KEY_VERSION);
            put_text(&mut out, group.as_str());
            put_text(&mut out, partition.topic.as_str());
            out.put_i32(partition.partition);
        }
        Key::Group(group) => {
            out.put_i16(GROUP_KEY_VERSION);
            put_text(&mut out, group.as_str());
        }
    }
    out.freeze()
}

/// An offset's value.
pub(crate) fn encode_offset(stored: &StoredOffset) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i16(VALUE_VERSION);
    out.put_i64(stored.committed.offset);
    out.put_i32(stored.committed.leader_epoch);
    put_text(&mut out, stored.committed.metadata.as_deref().unwrap_or_default());
    out.put_i64(stored.committed_at.as_millis());
    out.freeze()
}

/// A group's value; `since` is when it took its state.
pub(crate) fn encode_group(group: &GroupMetadata, since: Timestamp) -> Bytes {
    // It is kept for as long as the group is: with room for what it holds, and no more.
    let mut out = BytesMut::with_capacity(group_len(group));
    out.put_i16(VALUE_VERSION);
    put_text(&mut out, &group.protocol_type);
    out.put_i32(group.generation);
    put_nullable(&mut out, group.protocol.as_deref());
    put_nullable(&mut out, group.leader.as_deref());
    out.put_i64(since.as_millis());
    out.put_i32(i32::try_from(group.members.len()).expect("a group has fewer than 2^31 members"));
    for member in &group.members {
        put_text(&mut out, &member.member_id);
        put_nullable(&mut out, member.instance_id.as_deref());
        put_text(&mut out, &member.client_id);
        put_text(&mut out, &member.client_host);
        out.put_i32(millis(member.rebalance_timeout));
        out.put_i32(millis(member.session_timeout));
        put_bytes(&mut out, &member.subscription);
        put_bytes(&mut out, &member.assignment);
    }
    out.freeze()
}

/// The length of a group's value.
fn group_len(group: &GroupMetadata) -> usize {
    let nullable = |text: &Option<String>| 2 + text.as_ref().map_or(0, String::len);
    let member = |member: &StoredMember| {
        let texts = [&member.member_id, &member.client_id, &member.client_host].map(|text| 2 + text.len());
        let bytes = [&member.subscription, &member.assignment].map(|bytes| 4 + bytes.len());
        texts.iter().chain(&bytes).sum::<usize>() + nullable(&member.instance_id) + 4 + 4
    };
    let names = 2 + group.protocol_type.len() + nullable(&group.protocol) + nullable(&group.leader);
    2 + names + 4 + 8 + 4 + group.members.iter().map(member).sum::<usize>()
}

/// Reads a record; no value means that the key is gone.
///
/// # Errors
/// [`MalformedRecord`] if the bytes end too soon or hold what their version cannot.
pub(crate) fn decode(key: &[u8], value: Option<&[u8]>) -> Result<DecodedRecord, MalformedRecord> {
    let mut key = Reader { rest: key, what: "key" };
    let kind = key.i16()?;
    match kind {
        0 | OFFSET_KEY_VERSION => {
            let (group, topic) = (key.group()?, key.text()?);
            let topic = TopicName::new(topic).map_err(|_| key.malformed())?;
            let partition = TopicPartition::new(topic, key.i32()?);
            match value.map(decode_offset).transpose()? {
                Some(None) => Ok(DecodedRecord::Foreign),
                stored => Ok(DecodedRecord::Offset(group, partition, stored.flatten())),
            }
        }
        GROUP_KEY_VERSION => {
            let group = key.group()?;
            match value.map(decode_group).transpose()? {
                Some(None) => Ok(DecodedRecord::Foreign),
                stored => Ok(DecodedRecord::Group(group, stored.flatten())),
            }
        }
        _ => {
            let decoded = consumer_records::decode(kind, &mut key, value)?;
            Ok(decoded
                .map_or(DecodedRecord::Foreign, |(group, record)| DecodedRecord::Consumer(group, record)))
        }
    }
}

fn decode_offset(value: &[u8]) -> Result<Option<StoredOffset>, MalformedRecord> {
    let mut value = Reader { rest: value, what: "committed offset" };
    let version = value.i16()?;
    if !(0..=VALUE_VERSION).contains(&version) {
        return Ok(None);
    }
    let offset = value.i64()?;
    let leader_epoch = if version >= 3 { value.i32()? } else { -1 };
    let metadata = Some(value.text()?);
    let committed_at = Timestamp::from_millis(value.i64()?);
    Ok(Some(StoredOffset { committed: CommittedOffset { offset, leader_epoch, metadata }, committed_at }))
}

fn decode_group(value: &[u8]) -> Result<Option<(GroupMetadata, Timestamp)>, MalformedRecord> {
    let mut value = Reader { rest: value, what: "group" };
    let version = value.i16()?;
    if !(0..=VALUE_VERSION).contains(&version) {
        return Ok(None);
    }
    let protocol_type = value.text()?;
    let generation = value.i32()?;
    let (protocol, leader) = (value.nullable()?, value.nullable()?);
    let since = Timestamp::from_millis(if version >= 2 { value.i64()? } else { -1 });
    let count = value.i32()?;
    let mut members = Vec::new();
    for _ in 0..count {
        members.push(decode_member(&mut value, version)?);
    }
    Ok(Some((GroupMetadata { protocol_type, generation, protocol, leader, members }, since)))
}

fn decode_member(value: &mut Reader<'_>, version: i16) -> Result<StoredMember, MalformedRecord> {
    let member_id = value.text()?;
    let instance_id = if version >= 3 { value.nullable()? } else { None };
    let (client_id, client_host) = (value.text()?, value.text()?);
    let rebalance_timeout = if version >= 1 { Some(value.duration()?) } else { None };
    let session_timeout = value.duration()?;
    Ok(StoredMember {
        member_id,
        instance_id,
        client_id,
        client_host,
        rebalance_timeout: rebalance_timeout.unwrap_or(session_timeout),
        session_timeout,
        subscription: value.bytes()?,
        assignment: value.bytes()?,
    })
}

/// What is left of a record.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    pub(super) fn new(rest: &'a [u8], what: &'static str) -> Self {
        Self { rest, what }
    }

    pub(super) fn malformed(&self) -> MalformedRecord {
        MalformedRecord { what: self.what }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], MalformedRecord> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(self.malformed())?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn i16(&mut self) -> Result<i16, MalformedRecord> {
        Ok(self.take(2)?.get_i16())
    }

    pub(super) fn i32(&mut self) -> Result<i32, MalformedRecord> {
        Ok(self.take(4)?.get_i32())
    }

    pub(super) fn i64(&mut self) -> Result<i64, MalformedRecord> {
        Ok(self.take(8)?.get_i64())
    }

    pub(super) fn i8(&mut self) -> Result<i8, MalformedRecord> {
        Ok(self.take(1)?.get_i8())
    }

    /// An unsigned number of variable length.
    fn varint(&mut self) -> Result<u32, MalformedRecord> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.take(1)?.get_u8();
            value |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed())
    }

    /// The length of a list in the flexible encoding (KIP-482).
    pub(super) fn count(&mut self) -> Result<u32, MalformedRecord> {
        self.varint()?.checked_sub(1).ok_or(self.malformed())
    }

    /// A text in the flexible encoding; none where it is null.
    pub(super) fn compact(&mut self) -> Result<Option<String>, MalformedRecord> {
        let Some(length) = self.varint()?.checked_sub(1) else { return Ok(None) };
        let bytes = self.take(usize::try_from(length).map_err(|_| self.malformed())?)?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.malformed())?;
        Ok(Some(text.to_owned()))
    }

    pub(super) fn topic_name(&mut self) -> Result<TopicName, MalformedRecord> {
        let name = self.compact()?.ok_or(self.malformed())?;
        TopicName::new(name).map_err(|_| self.malformed())
    }

    pub(super) fn topic_id(&mut self) -> Result<TopicId, MalformedRecord> {
        let bytes = self.take(16)?.try_into().map_err(|_| self.malformed())?;
        Ok(TopicId::from_bytes(bytes))
    }

    /// Passes over fields that later versions added (KIP-482).
    pub(super) fn skip_tags(&mut self) -> Result<(), MalformedRecord> {
        for _ in 0..self.varint()? {
            self.varint()?;
            let length = usize::try_from(self.varint()?).map_err(|_| self.malformed())?;
            self.take(length)?;
        }
        Ok(())
    }

    fn nullable(&mut self) -> Result<Option<String>, MalformedRecord> {
        let Ok(length) = usize::try_from(self.i16()?) else { return Ok(None) };
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| self.malformed())?;
        Ok(Some(text.to_owned()))
    }

    pub(super) fn text(&mut self) -> Result<String, MalformedRecord> {
        self.nullable()?.ok_or(self.malformed())
    }

    pub(super) fn group(&mut self) -> Result<GroupId, MalformedRecord> {
        GroupId::new(self.text()?).map_err(|_| self.malformed())
    }

    fn bytes(&mut self) -> Result<Bytes, MalformedRecord> {
        let length = usize::try_from(self.i32()?).map_err(|_| self.malformed())?;
        Ok(Bytes::copy_from_slice(self.take(length)?))
    }

    fn duration(&mut self) -> Result<Duration, MalformedRecord> {
        let millis = u64::try_from(self.i32()?).map_err(|_| self.malformed())?;
        Ok(Duration::from_millis(millis))
    }
}

pub(super) fn put_text(out: &mut BytesMut, text: &str) {
    let length = i16::try_from(text.len()).expect("a kept text is shorter than 32 KiB");
    out.put_i16(length);
    out.put_slice(text.as_bytes());
}

fn put_nullable(out: &mut BytesMut, text: Option<&str>) {
    match text {
        Some(text) => put_text(out, text),
        None => out.put_i16(-1),
    }
}

fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    out.put_i32(i32::try_from(bytes.len()).expect("a kept share is smaller than 2 GiB"));
    out.put_slice(bytes);
}

pub(super) fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
