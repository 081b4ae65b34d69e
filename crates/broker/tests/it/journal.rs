//! The groups' journal on a real log: it stays short, and it is read back.

use std::sync::Arc;

use factum_base::clients::ClientAddress;
use factum_base::clock::SystemClock;
use factum_broker::coordinator::{self, Commit, CommittedOffset};
use factum_broker::{Broker, OFFSETS_TOPIC, Options};
use factum_types::{ByteSize, GroupId, TopicPartition};

use crate::support::{PATIENCE, Running, name, options};

const PARTITIONS: i32 = 200;

fn commit(offset: i64) -> Commit {
    let committed = CommittedOffset { offset, leader_epoch: 0, metadata: Some("x".repeat(4_000)) };
    let offsets = (0..PARTITIONS).map(|n| (TopicPartition::new(name("t"), n), committed.clone()));
    Commit {
        group: GroupId::new("g").expect("a valid name"),
        generation: -1,
        member_id: String::new(),
        instance_id: None,
        client: ClientAddress::UNKNOWN,
        offsets: offsets.collect(),
    }
}

fn start(data_dir: &std::path::Path) -> Running {
    let groups = coordinator::Options { snapshot_after: ByteSize(1 << 20), ..Default::default() };
    Running::open(Options { groups, ..options(data_dir) }, Arc::new(SystemClock)).expect("it opens")
}

fn journal_bytes(broker: &Broker) -> u64 {
    let topic = broker.topic(OFFSETS_TOPIC).expect("the coordinator's topic");
    topic.partitions()[0].bounds().bytes
}

/// Forty megabytes are committed of a state of less than one; two segments of eight may stay.
#[tokio::test]
async fn a_journal_is_cut_to_what_is_alive() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let running = start(dir.path());
    running.broker.create_topic(crate::support::new_topic("t", PARTITIONS)).await.expect("a topic");
    for offset in 0..50 {
        running.broker.coordinator().commit(commit(offset)).await.expect("committed");
    }
    let cut = async {
        while journal_bytes(&running.broker) > 24 << 20 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, cut).await.expect("the journal is cut in time");
    running.stop().await;

    let running = start(dir.path());
    let group = commit(0).group;
    let fetched = running.broker.coordinator().fetch_offsets(&group, None).await.expect("fetched");
    let found: Vec<i64> =
        fetched.iter().filter_map(|(_, kept)| kept.as_ref().map(|kept| kept.offset)).collect();
    assert_eq!(found, vec![49; PARTITIONS as usize]);
    running.stop().await;
}
