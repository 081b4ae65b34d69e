//! Kafka's embedded consumer protocol: what the members of a group tell each other through the coordinator.
//!
//! ```text
//!   subscription  version i16 │ topics [string] │ user data nullable bytes │ later versions add fields
//!   assignment    version i16 │ [topic string, [partition i32]] │ user data nullable bytes
//! ```
//!
//! Version 0 is written, because every client reads it; of later versions the fields that version 0 has are
//! read. Partitions are shared out by the `range` assignor, which all clients know.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use factum_types::{PartitionId, TopicName, TopicPartition};

/// The protocol type of consumers.
pub(crate) const PROTOCOL_TYPE: &str = "consumer";
/// The assignor.
pub(crate) const RANGE: &str = "range";

const VERSION: i16 = 0;
const NULL: i32 = -1;

pub(crate) fn encode_subscription(topics: &[TopicName]) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(VERSION);
    put_count(&mut bytes, topics.len());
    topics.iter().for_each(|topic| put_string(&mut bytes, topic.as_str()));
    bytes.put_i32(NULL);
    bytes.freeze()
}

/// The topics of a subscription of any version; `None` if the bytes are no subscription. Names that no topic can
/// have are left out: a client may wish for them all the same.
pub(crate) fn decode_subscription(mut bytes: &[u8]) -> Option<Vec<TopicName>> {
    let bytes = &mut bytes;
    read_version(bytes)?;
    let topics = read_array(bytes, read_string)?;
    Some(topics.into_iter().filter_map(|topic| TopicName::new(topic).ok()).collect())
}

pub(crate) fn encode_assignment(partitions: &[TopicPartition]) -> Bytes {
    let mut by_topic: BTreeMap<&TopicName, Vec<PartitionId>> = BTreeMap::new();
    for partition in partitions {
        by_topic.entry(&partition.topic).or_default().push(partition.partition);
    }
    let mut bytes = BytesMut::new();
    bytes.put_i16(VERSION);
    put_count(&mut bytes, by_topic.len());
    for (topic, numbers) in by_topic {
        put_string(&mut bytes, topic.as_str());
        put_count(&mut bytes, numbers.len());
        numbers.into_iter().for_each(|number| bytes.put_i32(number));
    }
    bytes.put_i32(NULL);
    bytes.freeze()
}

/// The partitions of an assignment of any version, in order; nothing at all is an empty one. `None` if the bytes
/// are no assignment.
pub(crate) fn decode_assignment(mut bytes: &[u8]) -> Option<Vec<TopicPartition>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let bytes = &mut bytes;
    read_version(bytes)?;
    let topics = read_array(bytes, |bytes| {
        let topic = TopicName::new(read_string(bytes)?).ok()?;
        let numbers = read_array(bytes, |bytes| bytes.try_get_i32().ok())?;
        Some((topic, numbers))
    })?;
    let partitions = topics.into_iter().flat_map(|(topic, numbers)| {
        numbers.into_iter().map(move |number| TopicPartition::new(topic.clone(), number))
    });
    let mut partitions: Vec<_> = partitions.collect();
    partitions.sort_unstable();
    Some(partitions)
}

/// Kafka's range assignor: each topic's partitions are cut into as many ranges as it has subscribers, in the order
/// of their ids; the first ones get one more where it does not come out even.
pub(crate) fn assign_ranges<'a>(
    subscriptions: &'a [(String, Vec<TopicName>)],
    partitions: &BTreeMap<TopicName, i32>,
) -> BTreeMap<&'a str, Vec<TopicPartition>> {
    let mut shares: BTreeMap<&str, Vec<TopicPartition>> =
        subscriptions.iter().map(|(member, _)| (member.as_str(), Vec::new())).collect();
    for (topic, count) in partitions {
        let wants = |topics: &[TopicName]| topics.contains(topic);
        let mut members: Vec<_> = subscriptions
            .iter()
            .filter_map(|(member, topics)| wants(topics).then_some(member.as_str()))
            .collect();
        members.sort_unstable();
        let Ok(members_count) = i32::try_from(members.len()) else { continue };
        let mut next = 0;
        for (member, place) in members.into_iter().zip(0..) {
            let share = count / members_count + i32::from(place < count % members_count);
            let range = (next..next + share).map(|number| TopicPartition::new(topic.clone(), number));
            shares.entry(member).or_default().extend(range);
            next += share;
        }
    }
    shares
}

fn read_version(bytes: &mut &[u8]) -> Option<i16> {
    bytes.try_get_i16().ok().filter(|version| *version >= 0)
}

fn read_string(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(bytes.try_get_i16().ok()?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

/// Nothing is reserved by the count: each element must be there to be kept.
fn read_array<T>(bytes: &mut &[u8], mut element: impl FnMut(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    let count = usize::try_from(bytes.try_get_i32().ok()?).ok()?;
    let mut elements = Vec::new();
    for _ in 0..count {
        elements.push(element(bytes)?);
    }
    Some(elements)
}

fn put_string(bytes: &mut BytesMut, text: &str) {
    bytes.put_i16(i16::try_from(text.len()).expect("a topic's name has at most 249 bytes"));
    bytes.put_slice(text.as_bytes());
}

fn put_count(bytes: &mut BytesMut, count: usize) {
    bytes.put_i32(i32::try_from(count).expect("a group has fewer partitions than 2^31"));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn topic(name: &str) -> TopicName {
        TopicName::new(name.to_owned()).expect("valid")
    }

    fn show(shares: &BTreeMap<&str, Vec<TopicPartition>>) -> String {
        let share = |(member, partitions): (&&str, &Vec<TopicPartition>)| {
            let partitions: Vec<_> = partitions.iter().map(ToString::to_string).collect();
            format!("{member}: {}\n", partitions.join(" "))
        };
        shares.iter().map(share).collect()
    }

    #[test]
    fn ranges_are_contiguous_and_the_first_members_get_the_rest() {
        let (a, b) = (topic("a"), topic("b"));
        let subscriptions = [
            ("two".to_owned(), vec![a.clone()]),
            ("one".to_owned(), vec![a.clone(), b.clone()]),
            ("six".to_owned(), vec![topic("gone")]),
        ];
        let shares = assign_ranges(&subscriptions, &BTreeMap::from([(a, 3), (b, 2)]));
        expect_test::expect![[r"
            one: a/0 a/1 b/0 b/1
            six: 
            two: a/2
        "]]
        .assert_eq(&show(&shares));
    }

    /// As the Java client writes it (`ConsumerProtocolSubscription` version 1, with owned partitions).
    #[test]
    fn a_later_subscription_is_read_as_far_as_version_0_goes() {
        let bytes = [
            0, 1, // version
            0, 0, 0, 1, 0, 1, b'a', // topics
            255, 255, 255, 255, // user data
            0, 0, 0, 1, 0, 1, b'a', 0, 0, 0, 1, 0, 0, 0, 0, // owned partitions
        ];
        assert_eq!(decode_subscription(&bytes), Some(vec![topic("a")]));
    }

    #[test]
    fn assignments_round_trip() {
        let topics = vec![topic("a"), topic("b.c")];
        assert_eq!(decode_subscription(&encode_subscription(&topics)), Some(topics));
        let partitions = vec![TopicPartition::new(topic("a"), 0), TopicPartition::new(topic("a"), 2)];
        assert_eq!(decode_assignment(&encode_assignment(&partitions)), Some(partitions));
        assert_eq!(decode_assignment(&[]), Some(Vec::new()));
    }

    #[test]
    fn a_count_without_elements_is_refused() {
        assert_eq!(decode_assignment(&[0, 0, 0x7f, 255, 255, 255]), None);
        assert_eq!(decode_subscription(&[0, 0, 255, 255, 255, 255]), None);
    }

    proptest! {
        #[test]
        fn every_partition_has_one_member_and_shares_are_even(
            counts in proptest::collection::vec(0..20_i32, 1..4),
            wishes in proptest::collection::vec(0..8_u8, 1..8),
        ) {
            let topics: Vec<_> = (0..counts.len()).map(|n| topic(&format!("t{n}"))).collect();
            let wished = |bits: u8| topics.iter().enumerate().filter(move |(n, _)| bits & (1 << n) != 0);
            let subscriptions: Vec<_> = wishes
                .iter()
                .enumerate()
                .map(|(member, bits)| (format!("m{member}"), wished(*bits).map(|(_, t)| t.clone()).collect()))
                .collect();
            let partitions: BTreeMap<_, _> = topics.iter().cloned().zip(counts).collect();
            let shares = assign_ranges(&subscriptions, &partitions);
            for (topic, count) in &partitions {
                let takers = subscriptions.iter().filter(|(_, topics): &&(String, Vec<_>)| topics.contains(topic));
                let each: Vec<usize> = takers
                    .map(|(member, _)| shares[member.as_str()].iter().filter(|p| p.topic == *topic).count())
                    .collect();
                let mut given: Vec<_> = shares.values().flatten().filter(|p| p.topic == *topic).collect();
                given.sort();
                let all: Vec<_> = (0..*count).map(|n| TopicPartition::new(topic.clone(), n)).collect();
                if let (Some(most), Some(least)) = (each.iter().max(), each.iter().min()) {
                    prop_assert_eq!(given, all.iter().collect::<Vec<_>>());
                    prop_assert!(most - least <= 1, "{:?}", each);
                } else {
                    prop_assert!(given.is_empty(), "no one wants it");
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (read, refused) = (decode_subscription(&bytes), decode_assignment(&bytes));
            prop_assert!(read.is_none_or(|topics| topics.len() <= bytes.len()));
            prop_assert!(refused.is_none_or(|partitions| partitions.len() <= bytes.len()));
        }
    }
}
