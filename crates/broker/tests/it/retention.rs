//! Old records go, and only by a clock that can be trusted.

use std::sync::Arc;
use std::time::Duration;

use factum_broker::{Isolation, Options, Partition};
use factum_eventlog::{Admin, NewTopic, TopicConfig};
use factum_testkit::HeldClock;
use factum_types::{ByteSize, GroupId, Offset, Timestamp};

use crate::support::{PATIENCE, Running, batch_at, name, options};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn start(clock: &HeldClock, data_dir: &std::path::Path) -> (Running, Arc<Partition>) {
    let options = Options { retention_check_interval: Duration::from_millis(1), ..options(data_dir) };
    let running = Running::open(options, Arc::new(clock.clone())).expect("opened");
    let config = TopicConfig { segment_bytes: Some(ByteSize(1_024)), ..TopicConfig::default() };
    let new = NewTopic { name: name("a"), partitions: Some(1), config };
    let topic = running.broker.create_topic(new).await.expect("a new topic");
    let partition = Arc::clone(&topic.partitions()[0]);
    for _ in 0..5 {
        let appended = partition.append(batch_at(800, NOW)).expect("a batch is taken");
        partition.durable(appended.last_offset).await.expect("synced");
    }
    (running, partition)
}

async fn until_dropped(partition: &Partition) {
    let dropped = async {
        while partition.bounds().log_start.get() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, dropped).await.expect("old records are dropped in time");
}

/// Moves on by so little that nothing expires, so that retention has run again when it has noticed.
async fn rounds(clock: &HeldClock, count: usize) {
    for _ in 0..count {
        clock.advance(Duration::from_millis(2));
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

#[tokio::test]
async fn records_past_their_retention_are_dropped() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let clock = HeldClock::at(NOW);
    let (running, partition) = start(&clock, dir.path()).await;
    rounds(&clock, 5).await;
    clock.advance(6 * DAY);
    rounds(&clock, 5).await;
    assert_eq!(partition.bounds().log_start.get(), 0, "after six days of seven all is there");
    clock.advance(2 * DAY);
    until_dropped(&partition).await;
    let error = partition.read(0, 1_000, Isolation::ReadUncommitted).expect_err("dropped");
    assert!(matches!(error, factum_broker::ReadError::OutOfRange { asked: 0, .. }), "not {error}");
    running.stop().await;
}

#[tokio::test]
async fn a_clock_that_jumps_drops_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let clock = HeldClock::at(NOW);
    let (running, partition) = start(&clock, dir.path()).await;
    rounds(&clock, 5).await;
    clock.set(NOW.plus(300 * DAY));
    rounds(&clock, 20).await;
    assert_eq!(partition.bounds().log_start.get(), 0, "the jump may be a mistake");
    assert_eq!(running.broker.health().problems.len(), 1, "and is said");
    clock.advance(DAY + DAY / 24);
    until_dropped(&partition).await;
    running.stop().await;
}

/// The same data behind another clock.
fn restart(clock: &HeldClock, data_dir: &std::path::Path) -> (Running, Arc<Partition>) {
    let short = Duration::from_millis(1);
    let mut options = Options { retention_check_interval: short, ..options(data_dir) };
    options.groups.offsets_retention_check_interval = short;
    let running = Running::open(options, Arc::new(clock.clone())).expect("opened");
    let partition = Arc::clone(&running.broker.topic("a").expect("kept").partitions()[0]);
    (running, partition)
}

#[tokio::test]
async fn a_clock_that_is_ahead_at_the_start_deletes_neither_records_nor_offsets() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (running, partition) = start(&HeldClock::at(NOW), dir.path()).await;
    let group = GroupId::new("readers").expect("valid");
    let offsets = vec![(partition.topic_partition().clone(), Offset::new(2))];
    running.broker.reset_group(&group, offsets).await.expect("no one is in the group");
    running.stop().await;
    let committed = async |running: &Running| running.broker.groups().await.expect("a list").len();

    for _ in 0..2 {
        let clock = HeldClock::at(NOW.plus(40 * DAY));
        let (running, partition) = restart(&clock, dir.path());
        rounds(&clock, 20).await;
        assert_eq!(partition.bounds().log_start.get(), 0, "records are kept");
        assert_eq!(committed(&running).await, 1, "offsets are kept");
        let problems = running.broker.health().problems;
        assert!(problems[0].starts_with("the clock says 2023-12-24"), "{problems:?}");
        running.stop().await;
    }

    let clock = HeldClock::at(NOW.plus(DAY / 48));
    let (running, partition) = restart(&clock, dir.path());
    rounds(&clock, 5).await;
    assert_eq!(running.broker.health().problems, [""; 0], "a clock that was set right is believed");
    clock.advance(8 * DAY);
    until_dropped(&partition).await;
    running.stop().await;
}

#[tokio::test]
async fn a_machine_that_was_off_for_long_drops_old_records_a_day_later() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (running, _) = start(&HeldClock::at(NOW), dir.path()).await;
    running.stop().await;
    let clock = HeldClock::at(NOW.plus(40 * DAY));
    let (running, _) = restart(&clock, dir.path());
    rounds(&clock, 5).await;
    clock.advance(DAY / 2);
    rounds(&clock, 5).await;
    running.stop().await;
    // The time that it has run with the new clock counts on.
    let clock = HeldClock::at(NOW.plus(40 * DAY + DAY / 2 + DAY / 24));
    let (running, partition) = restart(&clock, dir.path());
    rounds(&clock, 5).await;
    assert_eq!(partition.bounds().log_start.get(), 0, "not yet");
    clock.advance(DAY / 2);
    until_dropped(&partition).await;
    running.stop().await;
}

#[tokio::test]
async fn size_bounds_a_partition_while_the_clock_is_doubted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (running, _) = start(&HeldClock::at(NOW), dir.path()).await;
    running.stop().await;
    let clock = HeldClock::at(NOW.minus(400 * DAY));
    let (running, partition) = restart(&clock, dir.path());
    let config = TopicConfig { retention_bytes: Some(ByteSize(1_000)), ..TopicConfig::default() };
    running.broker.alter_topic(&name("a"), config).await.expect("altered");
    clock.advance(Duration::from_secs(1));
    until_dropped(&partition).await;
    running.stop().await;
}

#[tokio::test]
async fn a_change_of_retention_is_in_force_without_a_restart() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let clock = HeldClock::at(NOW);
    let (running, partition) = start(&clock, dir.path()).await;
    let config = TopicConfig { retention_bytes: Some(ByteSize(1_000)), ..TopicConfig::default() };
    running.broker.alter_topic(&name("a"), config).await.expect("altered");
    clock.advance(Duration::from_secs(1));
    until_dropped(&partition).await;
    running.stop().await;
}
