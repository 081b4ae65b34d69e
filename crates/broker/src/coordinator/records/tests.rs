//! Golden bytes, written out by hand from Kafka's schemas, and bytes that no one wrote.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn group() -> GroupId {
    GroupId::new("g").expect("valid")
}

fn partition() -> TopicPartition {
    TopicPartition::new(TopicName::new("t.x").expect("valid"), 3)
}

fn offset() -> StoredOffset {
    let committed = CommittedOffset { offset: 258, leader_epoch: 7, metadata: Some("note".to_owned()) };
    StoredOffset { committed, committed_at: Timestamp::from_millis(0x0102) }
}

fn metadata() -> GroupMetadata {
    let member = StoredMember {
        member_id: "m".to_owned(),
        instance_id: Some("i".to_owned()),
        client_id: "c".to_owned(),
        client_host: "/h".to_owned(),
        rebalance_timeout: Duration::from_millis(300_000),
        session_timeout: Duration::from_millis(45_000),
        subscription: Bytes::from_static(b"sub"),
        assignment: Bytes::from_static(b"share"),
    };
    GroupMetadata {
        protocol_type: "consumer".to_owned(),
        generation: 5,
        protocol: Some("range".to_owned()),
        leader: Some("m".to_owned()),
        members: vec![
            member.clone(),
            StoredMember { member_id: "n".to_owned(), instance_id: None, ..member },
        ],
    }
}

/// Hex in groups of eight bytes, so that a field is found by counting.
#[track_caller]
fn check(bytes: &[u8], expected: &Expect) {
    let hex = |chunk: &[u8]| chunk.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    expected.assert_eq(&bytes.chunks(8).map(hex).collect::<Vec<_>>().join("\n"));
}

#[test]
fn an_offset_key_is_version_1() {
    check(
        &encode_key(&Key::Offset(group(), partition())),
        &expect![[r#"
            00 01 00 01 67 00 03 74
            2e 78 00 00 00 03"#]],
    );
}

#[test]
fn a_group_key_is_version_2() {
    check(&encode_key(&Key::Group(group())), &expect!["00 02 00 01 67"]);
}

#[test]
fn an_offset_is_version_3() {
    check(
        &encode_offset(&offset()),
        &expect![[r#"
            00 03 00 00 00 00 00 00
            01 02 00 00 00 07 00 04
            6e 6f 74 65 00 00 00 00
            00 00 01 02"#]],
    );
}

#[test]
fn a_group_is_version_3() {
    let mut metadata = metadata();
    metadata.members.truncate(1);
    check(
        &encode_group(&metadata, Timestamp::from_millis(0x0203)),
        &expect![[r#"
            00 03 00 08 63 6f 6e 73
            75 6d 65 72 00 00 00 05
            00 05 72 61 6e 67 65 00
            01 6d 00 00 00 00 00 00
            02 03 00 00 00 01 00 01
            6d 00 01 69 00 01 63 00
            02 2f 68 00 04 93 e0 00
            00 af c8 00 00 00 03 73
            75 62 00 00 00 05 73 68
            61 72 65"#]],
    );
}

#[test]
fn records_round_trip() {
    let key = encode_key(&Key::Offset(group(), partition()));
    let read = decode(&key, Some(&encode_offset(&offset())));
    assert_eq!(read, Ok(DecodedRecord::Offset(group(), partition(), Some(offset()))));
    assert_eq!(decode(&key, None), Ok(DecodedRecord::Offset(group(), partition(), None)));

    let (key, since) = (encode_key(&Key::Group(group())), Timestamp::from_millis(9));
    let read = decode(&key, Some(&encode_group(&metadata(), since)));
    assert_eq!(read, Ok(DecodedRecord::Group(group(), Some((metadata(), since)))));
    assert_eq!(decode(&key, None), Ok(DecodedRecord::Group(group(), None)));
}

#[test]
fn the_older_values_are_read() {
    let key = encode_key(&Key::Offset(group(), partition()));
    // Version 1: offset, metadata, commit time, expiry time, which is not kept.
    let value =
        [&[0, 1][..], &258_i64.to_be_bytes(), &[0, 1, b'n'], &258_i64.to_be_bytes(), &[0; 8]].concat();
    let committed = CommittedOffset { offset: 258, leader_epoch: -1, metadata: Some("n".to_owned()) };
    let stored = StoredOffset { committed, committed_at: Timestamp::from_millis(258) };
    assert_eq!(decode(&key, Some(&value)), Ok(DecodedRecord::Offset(group(), partition(), Some(stored))));

    // Version 0: no rebalance time-out, no instance id, no time.
    let value = [
        &[0, 0, 0, 1, b'c', 0, 0, 0, 5, 0, 1, b'p', 0, 1, b'm', 0, 0, 0, 1][..],
        &[0, 1, b'm', 0, 1, b'c', 0, 1, b'h', 0, 0, 0, 9, 0, 0, 0, 1, b's', 0, 0, 0, 0],
    ]
    .concat();
    let Ok(DecodedRecord::Group(_, Some((group, since)))) =
        decode(&encode_key(&Key::Group(group())), Some(&value))
    else {
        panic!("version 0 is read");
    };
    assert_eq!((since, group.members[0].rebalance_timeout), (Timestamp::NONE, Duration::from_millis(9)));
    assert_eq!(group.members[0].instance_id, None);
}

#[test]
fn records_of_newer_versions_are_foreign() {
    assert_eq!(decode(&[0, 9, 1, 2], Some(&[1])), Ok(DecodedRecord::Foreign));
    let key = encode_key(&Key::Group(group()));
    assert_eq!(decode(&key, Some(&[0, 4, 1, 2, 3])), Ok(DecodedRecord::Foreign));
}

#[test]
fn a_count_makes_no_room() {
    let mut value =
        encode_group(&GroupMetadata { members: Vec::new(), ..metadata() }, Timestamp::NONE).to_vec();
    let count = value.len() - 4;
    value[count..].copy_from_slice(&i32::MAX.to_be_bytes());
    assert_eq!(
        decode(&encode_key(&Key::Group(group())), Some(&value)),
        Err(MalformedRecord { what: "group" })
    );
}

#[test]
fn every_cut_is_malformed() {
    for (key, value) in [
        (Key::Group(group()), encode_group(&metadata(), Timestamp::NONE)),
        (Key::Offset(group(), partition()), encode_offset(&offset())),
    ] {
        let key = encode_key(&key);
        for end in 0..value.len() {
            assert!(decode(&key, Some(&value[..end])).is_err(), "cut at {end} of {}", value.len());
        }
        for end in 0..key.len() {
            assert!(decode(&key[..end], Some(&value)).is_err(), "key cut at {end}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(key: Vec<u8>, value: Option<Vec<u8>>, version in 0_i16..5, kind in 0_i16..3) {
        drop(decode(&key, value.as_deref()));
        let known = encode_key(&if kind == 2 { Key::Group(group()) } else { Key::Offset(group(), partition()) });
        let value = [&version.to_be_bytes()[..], value.as_deref().unwrap_or_default()].concat();
        drop(decode(&known, Some(&value)));
    }

    #[test]
    fn a_changed_byte_is_survived(at in 0_usize..200, byte: u8) {
        let mut value = encode_group(&metadata(), Timestamp::NONE).to_vec();
        let at = at % value.len();
        value[at] = byte;
        if let Ok(DecodedRecord::Group(_, Some((stored, since)))) = decode(&encode_key(&Key::Group(group())), Some(&value)) {
            let clock = factum_testkit::HeldClock::at(since);
            let memory = crate::coordinator::memory::GroupMemory::new(factum_types::ByteSize(0));
            let now = factum_base::clock::Clock::monotonic(&clock);
            let group = crate::coordinator::group::Group::restore(stored, memory, now);
            prop_assert!(group.stored().members.len() <= 2);
        }
    }
}
