//! Golden bytes, written out by hand from Kafka's schemas, and bytes that no one wrote.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::coordinator::records::{DecodedRecord, decode as decode_any};

fn group() -> GroupId {
    GroupId::new("g").expect("valid")
}

fn id() -> TopicId {
    TopicId::new(Uuid::from_u128(0x0a0b))
}

fn name() -> TopicName {
    TopicName::new("t").expect("valid")
}

fn partitions(numbers: &[PartitionId]) -> PartitionSet {
    numbers.iter().map(|number| (id(), *number)).collect()
}

fn member() -> MemberMetadata {
    MemberMetadata {
        instance_id: Some("i".to_owned()),
        rack_id: None,
        client_id: "c".to_owned(),
        client_host: "/h".to_owned(),
        topics: vec![name()],
        regex: Some("a.*".to_owned()),
        rebalance_timeout: Duration::from_millis(300_000),
        assignor: Some("range".to_owned()),
    }
}

fn current() -> CurrentAssignment {
    CurrentAssignment {
        epoch: 5,
        previous_epoch: 4,
        state: MemberState::UnrevokedPartitions,
        assigned: partitions(&[1, 2]),
        revoking: partitions(&[3]),
    }
}

fn every_record() -> Vec<ConsumerRecord> {
    let topic = SubscribedTopic { name: name(), partitions: 3 };
    vec![
        ConsumerRecord::Epoch(Some(7)),
        ConsumerRecord::Topics(Some(BTreeMap::from([(id(), topic)]))),
        ConsumerRecord::Member("m".to_owned(), Some(member())),
        ConsumerRecord::AssignmentEpoch(Some(6)),
        ConsumerRecord::Target("m".to_owned(), Some(partitions(&[1]))),
        ConsumerRecord::Current("m".to_owned(), Some(current())),
        ConsumerRecord::Regex("a.*".to_owned(), Some((vec![name()], 9))),
    ]
}

#[track_caller]
fn check(record: &ConsumerRecord, expected: &Expect) {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    let (key, value) = record.encode(&group());
    let value = hex(&value.expect("a value")).chunks(8).map(|chunk| chunk.join(" ")).collect::<Vec<_>>();
    expected.assert_eq(&format!("{}\n\n{}\n", hex(&key).join(" "), value.join("\n")));
}

#[test]
fn a_member_is_kind_5() {
    check(
        &every_record()[2],
        &expect![[r#"
            00 05 00 01 67 00 01 6d

            00 00 02 69 00 02 63 03
            2f 68 02 02 74 04 61 2e
            2a 00 04 93 e0 06 72 61
            6e 67 65 00
        "#]],
    );
}

#[test]
fn the_topics_of_a_group_are_kind_4() {
    check(
        &every_record()[1],
        &expect![[r#"
            00 04 00 01 67

            00 00 02 00 00 00 00 00
            00 00 00 00 00 00 00 00
            00 0a 0b 02 74 00 00 00
            03 01 00 00
        "#]],
    );
}

#[test]
fn a_current_assignment_is_kind_8() {
    check(
        &every_record()[5],
        &expect![[r#"
            00 08 00 01 67 00 01 6d

            00 00 00 00 00 05 00 00
            00 04 01 02 00 00 00 00
            00 00 00 00 00 00 00 00
            00 00 0a 0b 03 00 00 00
            01 00 00 00 02 00 02 00
            00 00 00 00 00 00 00 00
            00 00 00 00 00 0a 0b 02
            00 00 00 03 00 00
        "#]],
    );
}

#[test]
fn an_expression_is_kind_16() {
    check(
        &every_record()[6],
        &expect![[r#"
            00 10 00 01 67 00 03 61 2e 2a

            00 00 02 02 74 00 00 00
            00 00 00 00 09 00 00 00
            00 00 00 00 09 00
        "#]],
    );
}

#[test]
fn records_round_trip_and_every_cut_is_malformed() {
    for record in every_record() {
        let (key, value) = record.encode(&group());
        let value = value.expect("a value");
        assert_eq!(decode_any(&key, Some(&value)), Ok(DecodedRecord::Consumer(group(), record)));
        let Ok(DecodedRecord::Consumer(_, gone)) = decode_any(&key, None) else { panic!("a removal") };
        assert!(gone.is_removal(), "{gone:?}");
        // The last byte says that no fields of later versions follow.
        for end in 0..value.len() - 1 {
            decode_any(&key, Some(&value[..end])).expect_err("a cut");
        }
        for end in 0..key.len() {
            decode_any(&key[..end], Some(&value)).expect_err("a cut key");
        }
    }
}

#[test]
fn values_of_newer_versions_are_foreign() {
    for record in every_record() {
        let (key, _) = record.encode(&group());
        assert_eq!(decode_any(&key, Some(&[0, 1])), Ok(DecodedRecord::Foreign));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(which in 0_usize..7, value: Vec<u8>) {
        let (key, _) = every_record()[which].encode(&group());
        drop(decode_any(&key, Some(&[&[0, 0][..], &value].concat())));
    }

    #[test]
    fn a_changed_byte_is_survived(which in 0_usize..7, at in 0_usize..200, byte: u8) {
        let (key, value) = every_record()[which].encode(&group());
        let mut value = value.expect("a value").to_vec();
        let at = at % value.len();
        value[at] = byte;
        drop(decode_any(&key, Some(&value)));
    }
}
