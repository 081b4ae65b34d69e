//! The records of consumer groups in `__consumer_offsets`, in Kafka's own layout (KIP-848).
//!
//! ```text
//!   key    i16 kind · group [· member | · regular expression]         texts: i16 length · UTF-8
//!    3     ConsumerGroupMetadata                  epoch
//!    4     ConsumerGroupPartitionMetadata         topics: id · name · partitions
//!    5     ConsumerGroupMemberMetadata            what a member says of itself
//!    6     ConsumerGroupTargetAssignmentMetadata  epoch of the assignment
//!    7     ConsumerGroupTargetAssignmentMember    what a member is to have
//!    8     ConsumerGroupCurrentMemberAssignment   what a member has
//!   16     ConsumerGroupRegularExpression         the topics that an expression matches
//!   value  i16 version 0 · fields in the flexible encoding (KIP-482)
//! ```
//!
//! Invariants: as of the other records ([`super::super::records`]). Racks of partitions are neither written nor read.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use factum_types::{GroupId, PartitionId, TopicId, TopicName};

use super::member::{CurrentAssignment, MemberMetadata, MemberState};
use super::partition_set::PartitionSet;
use crate::coordinator::records::{MalformedRecord, Reader, millis, put_text};

const VERSION: i16 = 0;

/// A topic that members read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubscribedTopic {
    pub(crate) name: TopicName,
    pub(crate) partitions: PartitionId,
}

/// A change of a consumer group; what is gone has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConsumerRecord {
    Epoch(Option<i32>),
    Topics(Option<BTreeMap<TopicId, SubscribedTopic>>),
    Member(String, Option<MemberMetadata>),
    AssignmentEpoch(Option<i32>),
    Target(String, Option<PartitionSet>),
    Current(String, Option<CurrentAssignment>),
    /// The topics that a regular expression matches, with the directory's version and the time in milliseconds.
    Regex(String, Option<(Vec<TopicName>, i64)>),
}

impl ConsumerRecord {
    fn kind(&self) -> i16 {
        match self {
            Self::Epoch(_) => 3,
            Self::Topics(_) => 4,
            Self::Member(..) => 5,
            Self::AssignmentEpoch(_) => 6,
            Self::Target(..) => 7,
            Self::Current(..) => 8,
            Self::Regex(..) => 16,
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Epoch(_) | Self::Topics(_) | Self::AssignmentEpoch(_) => None,
            Self::Member(name, _) | Self::Target(name, _) | Self::Current(name, _) | Self::Regex(name, _) => {
                Some(name)
            }
        }
    }

    /// Whether it says that something is gone.
    pub(crate) fn is_removal(&self) -> bool {
        match self {
            Self::Epoch(value) | Self::AssignmentEpoch(value) => value.is_none(),
            Self::Topics(value) => value.is_none(),
            Self::Member(_, value) => value.is_none(),
            Self::Target(_, value) => value.is_none(),
            Self::Current(_, value) => value.is_none(),
            Self::Regex(_, value) => value.is_none(),
        }
    }

    /// Its key and value.
    pub(crate) fn encode(&self, group: &GroupId) -> (Bytes, Option<Bytes>) {
        let mut key = BytesMut::new();
        key.put_i16(self.kind());
        put_text(&mut key, group.as_str());
        if let Some(name) = self.name() {
            put_text(&mut key, name);
        }
        (key.freeze(), self.encode_value())
    }

    fn encode_value(&self) -> Option<Bytes> {
        let mut out = BytesMut::new();
        out.put_i16(VERSION);
        match self {
            Self::Epoch(epoch) | Self::AssignmentEpoch(epoch) => out.put_i32((*epoch)?),
            Self::Topics(topics) => put_topics(&mut out, topics.as_ref()?),
            Self::Member(_, metadata) => put_member(&mut out, metadata.as_ref()?),
            Self::Target(_, target) => put_partitions(&mut out, target.as_ref()?),
            Self::Current(_, current) => put_current(&mut out, current.as_ref()?),
            Self::Regex(_, resolved) => {
                let (topics, at) = resolved.as_ref()?;
                put_count(&mut out, topics.len());
                topics.iter().for_each(|topic| put_compact(&mut out, Some(topic.as_str())));
                out.put_i64(*at);
                out.put_i64(*at);
            }
        }
        out.put_u8(0);
        Some(out.freeze())
    }
}

/// Reads the rest of a record whose key has this kind; none if the kind or the value's version is not known.
///
/// # Errors
/// [`MalformedRecord`].
pub(crate) fn decode(
    kind: i16,
    key: &mut Reader<'_>,
    value: Option<&[u8]>,
) -> Result<Option<(GroupId, ConsumerRecord)>, MalformedRecord> {
    if !matches!(kind, 3..=8 | 16) {
        return Ok(None);
    }
    let group = key.group()?;
    let name = if matches!(kind, 3 | 4 | 6) { String::new() } else { key.text()? };
    let mut value = value.map(|value| Reader::new(value, "consumer group"));
    if let Some(value) = &mut value
        && value.i16()? != VERSION
    {
        return Ok(None);
    }
    let value = value.as_mut();
    let record = match kind {
        3 => ConsumerRecord::Epoch(value.map(Reader::i32).transpose()?),
        4 => ConsumerRecord::Topics(value.map(read_topics).transpose()?),
        5 => ConsumerRecord::Member(name, value.map(read_member).transpose()?),
        6 => ConsumerRecord::AssignmentEpoch(value.map(Reader::i32).transpose()?),
        7 => ConsumerRecord::Target(name, value.map(read_partitions).transpose()?),
        8 => ConsumerRecord::Current(name, value.map(read_current).transpose()?),
        _ => ConsumerRecord::Regex(name, value.map(read_regex).transpose()?),
    };
    Ok(Some((group, record)))
}

fn put_topics(out: &mut BytesMut, topics: &BTreeMap<TopicId, SubscribedTopic>) {
    put_count(out, topics.len());
    for (id, topic) in topics {
        out.put_slice(id.as_bytes());
        put_compact(out, Some(topic.name.as_str()));
        out.put_i32(topic.partitions);
        put_count(out, 0);
        out.put_u8(0);
    }
}

fn read_topics(value: &mut Reader<'_>) -> Result<BTreeMap<TopicId, SubscribedTopic>, MalformedRecord> {
    let mut topics = BTreeMap::new();
    for _ in 0..value.count()? {
        let id = value.topic_id()?;
        let name = value.topic_name()?;
        let partitions = value.i32()?;
        for _ in 0..value.count()? {
            value.i32()?;
            for _ in 0..value.count()? {
                value.compact()?;
            }
            value.skip_tags()?;
        }
        value.skip_tags()?;
        topics.insert(id, SubscribedTopic { name, partitions });
    }
    Ok(topics)
}

fn put_member(out: &mut BytesMut, member: &MemberMetadata) {
    put_compact(out, member.instance_id.as_deref());
    put_compact(out, member.rack_id.as_deref());
    put_compact(out, Some(&member.client_id));
    put_compact(out, Some(&member.client_host));
    put_count(out, member.topics.len());
    member.topics.iter().for_each(|topic| put_compact(out, Some(topic.as_str())));
    put_compact(out, member.regex.as_deref());
    out.put_i32(millis(member.rebalance_timeout));
    put_compact(out, member.assignor.as_deref());
}

fn read_member(value: &mut Reader<'_>) -> Result<MemberMetadata, MalformedRecord> {
    let (instance_id, rack_id) = (value.compact()?, value.compact()?);
    let client_id = value.compact()?.ok_or(value.malformed())?;
    let client_host = value.compact()?.ok_or(value.malformed())?;
    let mut topics = Vec::new();
    for _ in 0..value.count()? {
        topics.push(value.topic_name()?);
    }
    let regex = value.compact()?;
    let rebalance_timeout = Duration::from_millis(u64::try_from(value.i32()?).unwrap_or(0));
    let assignor = value.compact()?;
    Ok(MemberMetadata {
        instance_id,
        rack_id,
        client_id,
        client_host,
        topics,
        regex,
        rebalance_timeout,
        assignor,
    })
}

fn put_partitions(out: &mut BytesMut, partitions: &PartitionSet) {
    put_count(out, partitions.topic_count());
    for (topic, numbers) in partitions.topics() {
        out.put_slice(topic.as_bytes());
        put_count(out, numbers.len());
        numbers.iter().for_each(|number| out.put_i32(*number));
        out.put_u8(0);
    }
}

fn read_partitions(value: &mut Reader<'_>) -> Result<PartitionSet, MalformedRecord> {
    let mut partitions = PartitionSet::default();
    for _ in 0..value.count()? {
        let topic = value.topic_id()?;
        for _ in 0..value.count()? {
            partitions.insert(topic, value.i32()?);
        }
        value.skip_tags()?;
    }
    Ok(partitions)
}

fn put_current(out: &mut BytesMut, current: &CurrentAssignment) {
    out.put_i32(current.epoch);
    out.put_i32(current.previous_epoch);
    out.put_i8(current.state as i8);
    put_partitions(out, &current.assigned);
    put_partitions(out, &current.revoking);
}

fn read_current(value: &mut Reader<'_>) -> Result<CurrentAssignment, MalformedRecord> {
    let (epoch, previous_epoch) = (value.i32()?, value.i32()?);
    let state = match value.i8()? {
        0 => MemberState::Stable,
        1 => MemberState::UnrevokedPartitions,
        2 => MemberState::UnreleasedPartitions,
        _ => return Err(value.malformed()),
    };
    let (assigned, revoking) = (read_partitions(value)?, read_partitions(value)?);
    Ok(CurrentAssignment { epoch, previous_epoch, state, assigned, revoking })
}

fn read_regex(value: &mut Reader<'_>) -> Result<(Vec<TopicName>, i64), MalformedRecord> {
    let mut topics = Vec::new();
    for _ in 0..value.count()? {
        topics.push(value.topic_name()?);
    }
    value.i64()?;
    Ok((topics, value.i64()?))
}

/// A length that may be absent, as it is written: one more, 0 where it is absent.
fn put_count(out: &mut BytesMut, count: usize) {
    put_varint(out, u32::try_from(count).expect("fewer than 2^32 of anything") + 1);
}

fn put_compact(out: &mut BytesMut, text: Option<&str>) {
    match text {
        Some(text) => {
            put_count(out, text.len());
            out.put_slice(text.as_bytes());
        }
        None => out.put_u8(0),
    }
}

fn put_varint(out: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

#[cfg(test)]
mod tests;
