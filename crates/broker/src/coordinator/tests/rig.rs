//! A coordinator over a log in memory, and requests for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use factum_base::clock::{SharedClock, SystemClock};
use factum_base::random::Random;
use factum_testkit::HeldClock;
use factum_types::{GroupId, Timestamp, TopicName, TopicPartition};

use super::memory_log::MemoryLog;
use crate::coordinator::consumer_group::TopicsInMemory;
use crate::coordinator::memory::client_of;
use crate::coordinator::{Commit, CommittedOffset, Coordinator, JoinGroup, Options, SyncGroup};
use crate::trusted_time::TrustedTime;

pub(super) struct Rig {
    pub(super) groups: Coordinator,
    pub(super) log: MemoryLog,
    /// Moves time on, if time is held.
    pub(super) clock: HeldClock,
    shared: SharedClock,
    options: Options,
    pub(super) topics: TopicsInMemory,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(MemoryLog::new(), Options::default(), Self::held_clock())
    }

    pub(super) fn held_clock() -> (HeldClock, SharedClock) {
        let held = HeldClock::at(Timestamp::from_millis(1_000_000));
        (held.clone(), Arc::new(held))
    }

    pub(super) fn real_clock() -> (HeldClock, SharedClock) {
        (Self::held_clock().0, Arc::new(SystemClock))
    }

    pub(super) fn with(log: MemoryLog, options: Options, clocks: (HeldClock, SharedClock)) -> Self {
        Self::over(log, options, clocks, TopicsInMemory::default())
    }

    fn over(
        log: MemoryLog,
        options: Options,
        (clock, shared): (HeldClock, SharedClock),
        topics: TopicsInMemory,
    ) -> Self {
        let random = Random::seeded(1);
        let over = Arc::new(log.clone());
        let trusted_time = Arc::new(TrustedTime::in_memory(Arc::clone(&shared)));
        let groups = Coordinator::over(
            over,
            Arc::new(topics.clone()),
            options.clone(),
            Arc::clone(&shared),
            trusted_time,
            random,
        );
        let groups = groups.expect("read back");
        Self { groups, log, clock, shared, options, topics }
    }

    /// A new coordinator over what the log has.
    pub(super) fn restart(&self) -> Self {
        let clocks = (self.clock.clone(), Arc::clone(&self.shared));
        Self::over(self.log.clone(), self.options.clone(), clocks, self.topics.clone())
    }

    pub(super) fn now(&self) -> Instant {
        self.shared.monotonic()
    }

    /// A group's only member, stable in generation 1; gives its id.
    pub(super) async fn lone_member(&self, group: &str, client: &str) -> String {
        let joined = self.groups.join(join(group, client)).await.expect("joined");
        let shares = vec![(joined.member_id.clone(), Bytes::from_static(b"all"))];
        self.groups.sync(sync(group, &joined.member_id, joined.generation, shares)).await.expect("synced");
        joined.member_id
    }
}

pub(super) fn group(name: &str) -> GroupId {
    GroupId::new(name).expect("valid")
}

pub(super) fn partition(topic: &str) -> TopicPartition {
    TopicPartition::new(TopicName::new(topic).expect("valid"), 0)
}

/// The first join of a client that is let in at once.
pub(super) fn join(group_name: &str, client: &str) -> JoinGroup {
    JoinGroup {
        group: group(group_name),
        member_id: String::new(),
        instance_id: None,
        client_id: client.to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        session_timeout: Duration::from_secs(10),
        rebalance_timeout: Duration::from_secs(60),
        protocol_type: "consumer".to_owned(),
        protocols: vec![("range".to_owned(), Bytes::from_static(b"t"))],
        requires_known_member_id: false,
        supports_skipping_assignment: false,
    }
}

/// The first join of a client that is given its id first.
pub(super) fn with_given_id(group: &str, client: &str) -> JoinGroup {
    JoinGroup { requires_known_member_id: true, ..join(group, client) }
}

pub(super) fn rejoin(group: &str, member_id: &str) -> JoinGroup {
    let session_timeout = Duration::from_secs(10);
    JoinGroup { member_id: member_id.to_owned(), session_timeout, ..join(group, "a") }
}

pub(super) fn sync(
    group_name: &str,
    member_id: &str,
    generation: i32,
    assignments: Vec<(String, Bytes)>,
) -> SyncGroup {
    SyncGroup {
        group: group(group_name),
        generation,
        member_id: member_id.to_owned(),
        instance_id: None,
        protocol_type: None,
        protocol: None,
        assignments,
    }
}

/// One offset of partition 0 of `topic`, from a member of a generation or from an outsider.
pub(super) fn commit(group_name: &str, member: Option<(&str, i32)>, topic: &str, offset: i64) -> Commit {
    let committed = CommittedOffset { offset, leader_epoch: 3, metadata: Some("note".to_owned()) };
    let (member_id, generation) = member.unwrap_or(("", -1));
    Commit {
        group: group(group_name),
        generation,
        member_id: member_id.to_owned(),
        instance_id: None,
        client: client_of("/127.0.0.1"),
        offsets: vec![(partition(topic), committed)],
    }
}

/// A group's offsets on one line.
pub(super) async fn offsets(groups: &Coordinator, group_name: &str) -> String {
    let fetched = groups.fetch_offsets(&group(group_name), None).await.expect("fetched");
    let line = fetched.iter().map(|(partition, committed)| {
        let committed = committed.as_ref().expect("only what there is");
        format!("{partition}={} {}", committed.offset, committed.metadata.as_deref().unwrap_or("-"))
    });
    line.collect::<Vec<_>>().join(", ")
}
