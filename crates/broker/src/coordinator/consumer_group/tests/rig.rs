//! A group with topics in memory; every change goes through its records, and back from their bytes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use factum_base::clock::Clock as _;
use factum_testkit::HeldClock;
use factum_types::{ByteSize, GroupId, PartitionId, Timestamp, TopicId, TopicName};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::coordinator::consumer_group::directory::TopicDirectory;
use crate::coordinator::consumer_group::partition_set::PartitionSet;
use crate::coordinator::consumer_group::records::ConsumerRecord;
use crate::coordinator::consumer_group::{ConsumerGroup, Context, MatchedTopics, Memory};
use crate::coordinator::memory::GroupMemory;
use crate::coordinator::records::{DecodedRecord, decode};
use crate::coordinator::{ConsumerHeartbeat, ConsumerHeartbeatResult, CoordinatorError, Options};

/// Topics that come and go; cloning gives another hand on the same.
#[derive(Clone, Default)]
pub(crate) struct TopicsInMemory(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    topics: BTreeMap<TopicName, (TopicId, PartitionId)>,
    /// Of every topic that there was.
    names: BTreeMap<TopicId, TopicName>,
    version: u64,
}

impl TopicsInMemory {
    pub(crate) fn set(&self, name: &str, partitions: PartitionId) {
        let mut inner = self.0.lock();
        inner.version += 1;
        let new = TopicId::new(Uuid::from_u128(u128::from(inner.version) + 100));
        let id = inner.topics.get(&topic(name)).map_or(new, |(id, _)| *id);
        inner.topics.insert(topic(name), (id, partitions));
        inner.names.insert(id, topic(name));
    }

    pub(crate) fn delete(&self, name: &str) {
        let mut inner = self.0.lock();
        inner.version += 1;
        inner.topics.remove(&topic(name));
    }
}

impl TopicDirectory for TopicsInMemory {
    fn version(&self) -> u64 {
        self.0.lock().version
    }

    fn topic(&self, name: &TopicName) -> Option<(TopicId, PartitionId)> {
        self.0.lock().topics.get(name).copied()
    }

    fn name(&self, id: TopicId) -> Option<TopicName> {
        self.0.lock().names.get(&id).cloned()
    }

    fn names(&self) -> Vec<TopicName> {
        self.0.lock().topics.keys().cloned().collect()
    }
}

pub(crate) fn topic(name: &str) -> TopicName {
    TopicName::new(name).expect("valid")
}

/// A group and what is around it.
pub(crate) struct Rig {
    pub(crate) group: ConsumerGroup,
    pub(crate) topics: TopicsInMemory,
    pub(crate) options: Options,
    pub(crate) last_records: Vec<ConsumerRecord>,
    pub(crate) memory: Memory,
    pub(crate) now: Instant,
}

impl Rig {
    pub(crate) fn new(topics: &[(&str, PartitionId)]) -> Self {
        let rig = Self {
            group: ConsumerGroup::default(),
            topics: TopicsInMemory::default(),
            options: Options::default(),
            last_records: Vec::new(),
            memory: GroupMemory::new(ByteSize(64 << 20)),
            now: HeldClock::at(Timestamp::from_millis(0)).monotonic(),
        };
        topics.iter().for_each(|(name, partitions)| rig.create(name, *partitions));
        rig
    }

    pub(crate) fn hear(
        &mut self,
        request: &ConsumerHeartbeat,
    ) -> Result<ConsumerHeartbeatResult, CoordinatorError> {
        self.hear_as(request, &|_| true)
    }

    /// A heartbeat of a client that may see some topics.
    pub(crate) fn hear_as(
        &mut self,
        request: &ConsumerHeartbeat,
        may_see: &dyn Fn(&TopicName) -> bool,
    ) -> Result<ConsumerHeartbeatResult, CoordinatorError> {
        let pattern = self.group.pattern_to_match(request, &self.topics, self.now);
        let matched = pattern.map(|pattern| MatchedTopics::of(pattern, &self.topics)).transpose()?;
        let context = Context {
            directory: &self.topics.clone(),
            may_see,
            matched: matched.as_ref(),
            options: &self.options,
            memory: &self.memory,
            now: self.now,
        };
        let decision = self.group.decide(request, &context)?;
        self.store(decision.records.clone());
        Ok(self.group.keep_up(decision, self.options.session_timeout, self.now))
    }

    /// Moves time on, and takes out whose time is up.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        let records = self.group.expiry(self.now);
        if !records.is_empty() {
            self.group.forget_seen();
            self.store(records);
        }
    }

    /// The group as it is read back from its live state.
    pub(crate) fn restart(&mut self) {
        let records = self.group.to_records();
        self.group = ConsumerGroup::default();
        self.store(records);
        self.group.drop_fragments();
        self.group.count_memory(&self.memory);
    }

    fn store(&mut self, records: Vec<ConsumerRecord>) {
        for record in &records {
            let group = GroupId::new("g").expect("valid");
            let (key, value) = record.encode(&group);
            let decoded = decode(&key, value.as_deref()).expect("its own bytes");
            let DecodedRecord::Consumer(of, decoded) = decoded else { panic!("{record:?} as {decoded:?}") };
            assert_eq!((&of, &decoded), (&group, record));
            self.group.apply(decoded, self.options.session_timeout, self.now);
        }
        self.last_records = records;
    }

    pub(crate) fn create(&self, name: &str, partitions: PartitionId) {
        self.topics.set(name, partitions);
    }

    pub(crate) fn grow(&self, name: &str, partitions: PartitionId) {
        self.topics.set(name, partitions);
    }

    pub(crate) fn delete(&self, name: &str) {
        self.topics.delete(name);
    }

    /// A heartbeat that tells which partitions of topic `t` the member has, and nothing else.
    pub(crate) fn owning(&self, id: &str, epoch: i32, partitions: &[PartitionId]) -> ConsumerHeartbeat {
        let t = self.topics.topic(&topic("t")).map_or(TopicId::NIL, |(id, _)| id);
        let owned: PartitionSet = partitions.iter().map(|number| (t, *number)).collect();
        ConsumerHeartbeat { owned: Some(owned), ..heartbeat(id, epoch) }
    }

    /// The same of partitions of several topics.
    pub(crate) fn owning_of(
        &self,
        id: &str,
        epoch: i32,
        partitions: &[(&str, Vec<PartitionId>)],
    ) -> ConsumerHeartbeat {
        let of = |name: &str| self.topics.topic(&topic(name)).map_or(TopicId::NIL, |(id, _)| id);
        let owned = partitions
            .iter()
            .flat_map(|(name, numbers)| numbers.iter().map(move |number| (of(name), *number)));
        ConsumerHeartbeat { owned: Some(owned.collect()), ..heartbeat(id, epoch) }
    }

    /// An assignment on one line.
    pub(crate) fn show(&self, assignment: Option<Vec<(TopicId, Vec<PartitionId>)>>) -> String {
        let topics = assignment.expect("an assignment").into_iter();
        let partitions = topics.flat_map(|(id, numbers)| {
            let name = self.topics.name(id).expect("a topic that there was");
            numbers.into_iter().map(move |number| format!("{name}/{number}"))
        });
        partitions.collect::<Vec<_>>().join(" ")
    }
}

/// The first heartbeat of a member.
pub(crate) fn join(id: &str, topics: &[&str]) -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        rebalance_timeout: Some(Duration::from_secs(10)),
        subscribed_topics: Some(topics.iter().map(|name| topic(name)).collect()),
        owned: Some(PartitionSet::default()),
        ..heartbeat(id, 0)
    }
}

/// A heartbeat that says nothing new.
pub(crate) fn heartbeat(id: &str, epoch: i32) -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        group: GroupId::new("g").expect("valid"),
        member_id: id.to_owned(),
        member_epoch: epoch,
        instance_id: None,
        rack_id: None,
        rebalance_timeout: None,
        subscribed_topics: None,
        subscribed_regex: None,
        assignor: None,
        owned: None,
        client_id: "c".to_owned(),
        client_host: "/10.0.0.1".to_owned(),
        principal: "User:ANONYMOUS".to_owned(),
    }
}
