//! The state machine: what each request makes of a transactional id, as Kafka's own coordinator does.

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000);
const MINUTE: Duration = Duration::from_secs(60);

fn partition(topic: &str) -> TopicPartition {
    TopicPartition::new(factum_types::TopicName::new(topic).expect("valid"), 0)
}

fn initialized(expected: Option<ProducerIdentity>, before: &Transaction) -> Transaction {
    match before.initialize(expected, MINUTE, Some(900), NOW).expect("initialized") {
        Initialization::Ready(next) => *next,
        other => panic!("{other:?}"),
    }
}

/// A producer with id 7 in epoch 0.
fn fresh() -> Transaction {
    initialized(None, &Transaction::new(7, MINUTE, NOW))
}

fn ongoing(version: TransactionVersion) -> Transaction {
    let fresh = fresh();
    let added = fresh.add(fresh.producer, version, &[partition("t")], NOW).expect("added");
    added.expect("it has no partitions")
}

fn end(transaction: &Transaction, outcome: TransactionOutcome, version: TransactionVersion) -> Transaction {
    end_as(transaction, transaction.producer, outcome, version)
}

fn end_as(
    transaction: &Transaction,
    producer: ProducerIdentity,
    outcome: TransactionOutcome,
    version: TransactionVersion,
) -> Transaction {
    match transaction.end(producer, outcome, version, Some(900), NOW).expect("ended") {
        End::Prepared(next) => *next,
        other => panic!("{other:?}"),
    }
}

fn summary(transaction: &Transaction) -> String {
    let ProducerIdentity { id, epoch } = transaction.producer;
    let partitions: Vec<_> = transaction.partitions.iter().map(ToString::to_string).collect();
    format!("{} {id}/{epoch} [{}]", transaction.state.name(), partitions.join(" "))
}

#[test]
fn a_transaction_of_version_1_keeps_its_epoch() {
    let prepared = end(&ongoing(TransactionVersion::V1), TransactionOutcome::Commit, TransactionVersion::V1);
    assert_eq!(summary(&prepared), "PrepareCommit 7/0 [t/0]");
    assert_eq!(summary(&prepared.complete(NOW)), "CompleteCommit 7/0 []");
}

#[test]
fn a_transaction_of_version_2_leaves_its_epoch_behind() {
    let prepared = end(&ongoing(TransactionVersion::V2), TransactionOutcome::Abort, TransactionVersion::V2);
    assert_eq!(summary(&prepared), "PrepareAbort 7/1 [t/0]");
    assert_eq!(summary(&prepared.complete(NOW)), "CompleteAbort 7/1 []");
}

#[test]
fn an_end_that_is_sent_again_gets_the_same_answer() {
    use TransactionOutcome::{Abort, Commit};
    for version in [TransactionVersion::V1, TransactionVersion::V2] {
        let before = ongoing(version);
        let (producer, prepared) = (before.producer, end(&before, Commit, version));
        let again = prepared.end(producer, Commit, version, None, NOW);
        assert!(matches!(again, Err(TransactionError::Concurrent)), "{again:?}");
        let complete = prepared.complete(NOW);
        let again = complete.end(producer, Commit, version, None, NOW);
        assert_eq!(again.expect("answered"), End::Repeated(complete.producer));
        let other = complete.end(producer, Abort, version, None, NOW);
        assert!(matches!(other, Err(TransactionError::InvalidState { .. })), "{other:?}");
    }
}

#[test]
fn a_producer_of_version_2_may_abort_what_it_did_not_begin() {
    let before = fresh();
    let aborted = end(&before, TransactionOutcome::Abort, TransactionVersion::V2).complete(NOW);
    assert_eq!(summary(&aborted), "CompleteAbort 7/1 []");
    let again = end(&aborted, TransactionOutcome::Abort, TransactionVersion::V2).complete(NOW);
    assert_eq!(summary(&again), "CompleteAbort 7/2 []");
    let commit = fresh().end(before.producer, TransactionOutcome::Commit, TransactionVersion::V2, None, NOW);
    assert!(matches!(commit, Err(TransactionError::InvalidState { .. })), "{commit:?}");
}

#[test]
fn a_second_producer_fences_the_first() {
    let first = fresh();
    let second = initialized(None, &first);
    assert_eq!(summary(&second), "Empty 7/1 []");
    let add = second.add(first.producer, TransactionVersion::V1, &[partition("t")], NOW);
    assert!(matches!(add, Err(TransactionError::Fenced { current: 1, found: 0 })), "{add:?}");
    let go_on = second.initialize(Some(first.producer), MINUTE, None, NOW);
    assert!(matches!(go_on, Err(TransactionError::Fenced { .. })), "{go_on:?}");
}

#[test]
fn a_producer_that_goes_on_may_ask_twice() {
    let first = fresh();
    let next = initialized(Some(first.producer), &first);
    assert_eq!(summary(&next), "Empty 7/1 []");
    assert_eq!(summary(&initialized(Some(first.producer), &next)), "Empty 7/1 []");
    assert_eq!(summary(&initialized(Some(next.producer), &next)), "Empty 7/2 []");
}

#[test]
fn an_open_transaction_is_aborted_before_another_producer_begins() {
    let open = ongoing(TransactionVersion::V2);
    let Ok(Initialization::Abort(fenced)) = open.initialize(None, MINUTE, None, NOW) else {
        panic!("the transaction is open");
    };
    assert_eq!(summary(&fenced), "PrepareAbort 7/1 [t/0]");
    let busy = fenced.initialize(None, MINUTE, None, NOW);
    assert!(matches!(busy, Err(TransactionError::Concurrent)), "{busy:?}");
    assert_eq!(summary(&initialized(None, &fenced.complete(NOW))), "Empty 7/2 []");
    // The producer of before learns that its transaction was aborted, and may go on in version 2.
    let told =
        fenced.complete(NOW).end(open.producer, TransactionOutcome::Abort, TransactionVersion::V2, None, NOW);
    assert_eq!(told.expect("told"), End::Repeated(ProducerIdentity { id: 7, epoch: 1 }));
}

#[test]
fn the_id_is_replaced_when_its_epochs_are_used_up() {
    let mut last = ongoing(TransactionVersion::V2);
    last.producer.epoch = LAST_EPOCH;
    let without = last.end(last.producer, TransactionOutcome::Commit, TransactionVersion::V2, None, NOW);
    assert_eq!(without.expect("it asks for an id"), End::NeedsId);
    let prepared = end(&last, TransactionOutcome::Commit, TransactionVersion::V2);
    assert_eq!(summary(&prepared), format!("PrepareCommit 7/{} [t/0]", ProducerEpoch::MAX));
    let complete = prepared.complete(NOW);
    assert_eq!(summary(&complete), "CompleteCommit 900/0 []");
    let again = complete.end(last.producer, TransactionOutcome::Commit, TransactionVersion::V2, None, NOW);
    assert_eq!(again.expect("answered"), End::Repeated(complete.producer));
    let mut idle = fresh();
    idle.producer.epoch = LAST_EPOCH;
    assert_eq!(summary(&initialized(Some(idle.producer), &idle)), "Empty 900/0 []");
}

#[test]
fn a_record_outside_of_a_transaction_of_version_1_is_refused() {
    let before = fresh();
    let refused = before.check_append(before.producer, TransactionVersion::V1, &partition("t"));
    assert!(matches!(refused, Err(TransactionError::NotInTransaction { .. })), "{refused:?}");
    before.check_append(before.producer, TransactionVersion::V2, &partition("t")).expect("it begins one");
    let open = ongoing(TransactionVersion::V1);
    open.check_append(open.producer, TransactionVersion::V1, &partition("t")).expect("it was added");
    let decided = end(&open, TransactionOutcome::Commit, TransactionVersion::V1);
    let late = decided.check_append(open.producer, TransactionVersion::V1, &partition("t"));
    assert!(matches!(late, Err(TransactionError::Concurrent)), "{late:?}");
}
