//! Random members against a simple model: clients that hold partitions as their libraries do. No partition is ever held by
//! two, epochs never fall, and members that go on sending heartbeats get the target assignment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use factum_types::{PartitionId, TopicId};
use proptest::prelude::*;

use super::rig::{Rig, heartbeat, join};
use crate::coordinator::consumer_group::partition_set::PartitionSet;
use crate::coordinator::{ConsumerHeartbeat, CoordinatorError, GroupState};

const CLIENTS: usize = 5;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A client sends the heartbeat that is due: it joins, or says what it holds.
    Beat(usize),
    /// The same, and the response is lost.
    LoseResponse(usize),
    Leave(usize),
    /// The process is killed: it holds nothing from now on, and a new one joins under another id.
    Kill(usize),
    /// Reads other topics.
    Subscribe(usize, u8),
    Pass(u64),
    Grow(u8),
    Delete(u8),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS;
    prop_oneof![
        20 => client.clone().prop_map(Step::Beat),
        3 => client.clone().prop_map(Step::LoseResponse),
        1 => client.clone().prop_map(Step::Leave),
        1 => client.clone().prop_map(Step::Kill),
        1 => (client, 1..8_u8).prop_map(|(client, topics)| Step::Subscribe(client, topics)),
        3 => (1_u64..20_000).prop_map(Step::Pass),
        1 => (0..3_u8).prop_map(Step::Grow),
        1 => (0..3_u8).prop_map(Step::Delete),
        1 => Just(Step::Restart),
    ]
}

/// A client as its library sees itself.
#[derive(Debug, Clone, Default)]
struct Client {
    /// Which process it is: part of its id.
    process: u32,
    epoch: i32,
    holds: PartitionSet,
    topics: u8,
    /// Whether the next heartbeat tells everything.
    is_full: bool,
    /// When it was last answered: past its session it holds nothing.
    heard: Option<std::time::Instant>,
}

struct World {
    rig: Rig,
    clients: Vec<Client>,
    sizes: BTreeMap<String, PartitionId>,
    epoch: i32,
}

fn name(topic: u8) -> String {
    format!("topic-{topic}")
}

impl World {
    fn new() -> Self {
        let rig = Rig::new(&[]);
        let mut world = Self {
            rig,
            clients: vec![Client { topics: 7, ..Client::default() }; CLIENTS],
            sizes: BTreeMap::new(),
            epoch: 0,
        };
        (0..3).for_each(|topic| world.grow(topic));
        world
    }

    fn id(&self, client: usize) -> String {
        format!("m{client}-{}", self.clients[client].process)
    }

    fn grow(&mut self, topic: u8) {
        let size = self.sizes.entry(name(topic)).or_insert(0);
        *size += 2;
        self.rig.create(&name(topic), *size);
    }

    fn request(&self, client: usize) -> ConsumerHeartbeat {
        let state = &self.clients[client];
        let topics: Vec<String> = (0..3).filter(|topic| state.topics & (1 << topic) != 0).map(name).collect();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let full = ConsumerHeartbeat {
            member_epoch: state.epoch,
            // Longer than a library waits for a response: one that was not answered has given everything up by then.
            rebalance_timeout: Some(Duration::from_secs(60)),
            ..join(&self.id(client), &topics)
        };
        match (state.epoch, state.is_full) {
            (0, _) => full,
            (_, true) => ConsumerHeartbeat { owned: Some(state.holds.clone()), ..full },
            (epoch, false) => {
                let owned = Some(state.holds.clone());
                ConsumerHeartbeat { owned, ..heartbeat(&self.id(client), epoch) }
            }
        }
    }

    fn beat(&mut self, client: usize, is_lost: bool) {
        let heard = self.rig.hear(&self.request(client));
        let now = self.rig.now;
        let state = &mut self.clients[client];
        match heard {
            Ok(_) if is_lost => state.is_full = true,
            Ok(heard) => {
                assert!(heard.member_epoch >= state.epoch, "a member's epoch does not fall");
                (state.epoch, state.is_full, state.heard) = (heard.member_epoch, false, Some(now));
                if let Some(topics) = heard.assignment {
                    let one = |(topic, numbers): (TopicId, Vec<PartitionId>)| {
                        numbers.into_iter().map(move |number| (topic, number)).collect::<Vec<_>>()
                    };
                    state.holds = topics.into_iter().flat_map(one).collect();
                }
            }
            Err(CoordinatorError::UnknownMember | CoordinatorError::FencedMemberEpoch { .. }) => {
                (state.epoch, state.holds) = (0, PartitionSet::default());
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn act(&mut self, step: Step) {
        match step {
            Step::Beat(client) => self.beat(client, false),
            Step::LoseResponse(client) => self.beat(client, true),
            Step::Leave(client) => {
                let leave = heartbeat(&self.id(client), -1);
                let left = self.rig.hear(&leave);
                assert!(matches!(left, Ok(_) | Err(CoordinatorError::UnknownMember)), "{left:?}");
                (self.clients[client].epoch, self.clients[client].holds) = (0, PartitionSet::default());
            }
            Step::Kill(client) => {
                let state = &mut self.clients[client];
                *state = Client { process: state.process + 1, topics: state.topics, ..Client::default() };
            }
            Step::Subscribe(client, topics) => {
                (self.clients[client].topics, self.clients[client].is_full) = (topics, true);
            }
            Step::Pass(millis) => self.pass(Duration::from_millis(millis)),
            Step::Grow(topic) => self.grow(topic),
            Step::Delete(topic) => {
                self.sizes.remove(&name(topic));
                self.rig.delete(&name(topic));
            }
            Step::Restart => self.rig.restart(),
        }
    }

    /// A library gives up what it holds when it was not answered for as long as a session, or as long as it may take.
    fn pass(&mut self, time: Duration) {
        self.rig.pass(time);
        let patience = Duration::from_secs(10);
        for state in &mut self.clients {
            if state.heard.is_some_and(|heard| heard + patience <= self.rig.now) {
                (state.epoch, state.holds) = (0, PartitionSet::default());
            }
        }
    }

    fn check(&mut self) {
        let mut held = BTreeSet::new();
        for client in &self.clients {
            for partition in client.holds.iter() {
                assert!(held.insert(partition), "{partition:?} is held by two");
            }
        }
        let mut owned = BTreeSet::new();
        for member in self.rig.group.members.values() {
            for partition in member.current.assigned.iter().chain(member.current.revoking.iter()) {
                assert!(owned.insert(partition), "{partition:?} belongs to two");
            }
        }
        assert!(
            self.rig.group.epoch >= self.epoch && self.rig.group.assignment_epoch <= self.rig.group.epoch
        );
        self.epoch = self.rig.group.epoch;
    }

    /// Everyone sends heartbeats until nothing moves.
    fn settle(&mut self) {
        for _ in 0..30 {
            self.pass(Duration::from_secs(3));
            for client in 0..CLIENTS {
                self.beat(client, false);
                self.check();
            }
        }
        assert_eq!(self.rig.group.state(), GroupState::Stable);
        for (client, state) in self.clients.iter().enumerate() {
            let member = &self.rig.group.members[&self.id(client)];
            assert_eq!((&state.holds, &member.current.assigned), (&member.target, &member.target));
        }
        let held: usize = self.clients.iter().map(|state| state.holds.len()).sum();
        let read = |topic: u8| self.clients.iter().any(|state| state.topics & (1 << topic) != 0);
        let all = (0..3).filter(|topic| read(*topic)).filter_map(|topic| self.sizes.get(&name(topic)));
        assert_eq!(held, all.map(|size| usize::try_from(*size).expect("small")).sum::<usize>());
    }
}

proptest! {
    #[test]
    fn a_partition_has_one_reader_and_members_reach_their_target(
        steps in proptest::collection::vec(step(), 0..80),
    ) {
        let mut world = World::new();
        for step in steps {
            world.act(step);
            world.check();
        }
        world.settle();
    }

    #[test]
    fn a_restart_changes_nothing(steps in proptest::collection::vec(step(), 0..60)) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.act(step));
        let before = world.rig.group.to_records();
        let bytes = world.rig.group.recount();
        world.rig.restart();
        assert_eq!(world.rig.group.to_records(), before);
        assert_eq!((world.rig.group.recount(), world.rig.memory.bytes()), (bytes, bytes));
    }
}
