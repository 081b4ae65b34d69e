//! The bytes of `__transaction_state`, as Kafka's own classes write them.

use expect_test::expect;
use proptest::prelude::*;

use super::*;

fn transaction() -> Transaction {
    let partition = |topic, partition| TopicPartition::new(TopicName::new(topic).expect("valid"), partition);
    Transaction {
        producer: ProducerIdentity { id: 4_000, epoch: 3 },
        previous_id: Some(17),
        next_id: None,
        version: TransactionVersion::V2,
        state: TransactionState::PrepareCommit,
        partitions: [partition("orders", 0), partition("orders", 2), partition("paid", 1)].into(),
        started: Timestamp::from_millis(5),
        ..Transaction::new(4_000, Duration::from_secs(60), Timestamp::from_millis(9))
    }
}

fn id() -> TransactionalId {
    TransactionalId::new("shop").expect("valid")
}

#[test]
fn a_record_has_kafkas_layout() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    expect!["0000000473686f70"].assert_eq(&hex(&encode_key(&id())));
    expect!["00010000000000000fa000030000ea600203076f726465727303000000000000000200057061696402000000010000000000000000090000000000000005020008000000000000001102020002"].assert_eq(&hex(&encode_value(&transaction())));
}

#[test]
fn a_record_is_read_as_it_was_written() {
    for state in TransactionState::ALL {
        let mut written = Transaction { state, ..transaction() };
        if state == TransactionState::Empty {
            written.partitions.clear();
        }
        let read = decode(&encode_key(&id()), Some(&encode_value(&written))).expect("read");
        assert_eq!(read, DecodedRecord::Transaction(id(), Some(written)));
    }
    let gone = decode(&encode_key(&id()), None).expect("read");
    assert_eq!(gone, DecodedRecord::Transaction(id(), None));
}

#[test]
fn version_0_of_a_value_is_read() {
    let mut value = BytesMut::new();
    value.put_i16(0);
    value.put_i64(4_000);
    value.put_i16(3);
    value.put_i32(60_000);
    value.put_i8(1);
    value.put_i32(1);
    value.put_i16(6);
    value.put_slice(b"orders");
    value.put_i32(2);
    value.put_i32(0);
    value.put_i32(2);
    value.put_i64(9);
    value.put_i64(5);
    let Ok(DecodedRecord::Transaction(_, Some(read))) = decode(&encode_key(&id()), Some(&value)) else {
        panic!("version 0 is read");
    };
    assert_eq!(
        (read.state, read.version, read.partitions.len()),
        (TransactionState::Ongoing, TransactionVersion::V1, 2)
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        key in prop::collection::vec(any::<u8>(), 0..40),
        value in prop::collection::vec(any::<u8>(), 0..120),
        cut in 0_usize..100,
    ) {
        drop(decode(&key, Some(&value)));
        let written = encode_value(&transaction());
        drop(decode(&encode_key(&id()), Some(&written[..cut.min(written.len())])));
    }
}
