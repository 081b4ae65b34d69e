//! Old records go, and only by a clock that can be trusted.

use std::sync::Arc;
use std::time::Duration;

use factum_broker::{Options, Partition};
use factum_eventlog::{NewTopic, TopicConfig};
use factum_testkit::HeldClock;
use factum_types::{ByteSize, Timestamp};

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
    let error = partition.read(0, 1_000).expect_err("dropped");
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
    clock.advance(DAY / 12);
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
