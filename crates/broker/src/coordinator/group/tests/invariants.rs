//! Random members doing random things: invariants hold; and a member that keeps trying gets a share in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_base::clock::Clock as _;
use factum_base::random::Random;
use factum_testkit::HeldClock;
use factum_types::{ByteSize, GroupId, Timestamp};
use proptest::prelude::*;

use crate::coordinator::group::{Group, Reply, Ticket};
use crate::coordinator::memory::GroupMemory;
use crate::coordinator::records::{GroupMetadata, encode_group};
use crate::coordinator::{
    CoordinatorError, GroupState, JoinGroup, JoinResult, Leaving, Options, SyncGroup, SyncResult,
};

const CLIENTS: usize = 5;
const PARTITIONS: u8 = 4;

#[derive(Debug, Clone)]
enum Step {
    /// What a client would do next, if it does not wait.
    Act(usize),
    Beat(usize),
    HangUp(usize),
    Leave(usize),
    /// The client's process is started again: a static one keeps its name, no other keeps anything.
    Restart(usize),
    Pass(u64),
    RestartServer,
    StoringFails,
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS;
    prop_oneof![
        12 => client.clone().prop_map(Step::Act),
        3 => client.clone().prop_map(Step::Beat),
        1 => client.clone().prop_map(Step::HangUp),
        1 => client.clone().prop_map(Step::Leave),
        1 => client.prop_map(Step::Restart),
        2 => (1_u64..20_000).prop_map(Step::Pass),
        1 => Just(Step::RestartServer),
        1 => Just(Step::StoringFails),
    ]
}

/// A client as its library sees itself.
#[derive(Debug, Clone, Default)]
struct Client {
    id: String,
    generation: i32,
    /// What the leader is to share out.
    leads: Option<Vec<String>>,
    joined: bool,
    share: Option<Vec<u8>>,
    ticket: Option<Ticket>,
}

struct World {
    group: Group,
    memory: Arc<GroupMemory>,
    options: Options,
    clock: HeldClock,
    random: Random,
    clients: Vec<Client>,
    answered: BTreeSet<Ticket>,
    tickets: Ticket,
    highest: i32,
    /// By generation of this server's life: who was asked to assign, and who got what.
    leaders: BTreeMap<i32, String>,
    shares: BTreeMap<i32, BTreeMap<String, Vec<u8>>>,
    stored: Option<GroupMetadata>,
}

impl World {
    fn new(delay: bool) -> Self {
        let delay = Duration::from_secs(if delay { 3 } else { 0 });
        let memory = GroupMemory::new(ByteSize(1 << 20));
        Self {
            group: Group::new(Arc::clone(&memory)),
            memory,
            options: Options { initial_rebalance_delay: delay, ..Options::default() },
            clock: HeldClock::at(Timestamp::from_millis(0)),
            random: Random::seeded(3),
            clients: vec![Client::default(); CLIENTS],
            answered: BTreeSet::new(),
            tickets: 0,
            highest: 0,
            leaders: BTreeMap::new(),
            shares: BTreeMap::new(),
            stored: None,
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Act(who) => self.act(who),
            Step::Beat(who) => self.beat(who),
            Step::HangUp(who) => self.hang_up(who),
            Step::Leave(who) => self.leave(who),
            Step::Restart(who) => {
                self.hang_up(who);
                self.clients[who] = Client::default();
            }
            Step::Pass(millis) => self.pass(Duration::from_millis(millis)),
            Step::RestartServer => self.restart_server(),
            Step::StoringFails => {
                self.group.storing_failed(self.clock.monotonic());
                self.stored = None;
            }
        }
        self.collect();
        self.check();
    }

    fn act(&mut self, who: usize) {
        let client = &self.clients[who];
        match (client.ticket, client.joined, &client.share) {
            (Some(_), ..) => {}
            (None, true, None) => self.sync(who),
            (None, true, Some(_)) => self.beat(who),
            (None, false, _) => self.join(who),
        }
    }

    /// The first two clients are static members; the third is of the time before KIP-394.
    fn instance(who: usize) -> Option<String> {
        (who < 2).then(|| format!("static-{who}"))
    }

    fn next_ticket(&mut self, who: usize) -> Ticket {
        self.tickets += 1;
        self.clients[who].ticket = Some(self.tickets);
        self.tickets
    }

    fn join(&mut self, who: usize) {
        let ticket = self.next_ticket(who);
        let request = JoinGroup {
            group: GroupId::new("g").expect("valid"),
            member_id: self.clients[who].id.clone(),
            instance_id: Self::instance(who),
            client_id: format!("client-{who}"),
            client_host: format!("/10.0.0.{}", who / 2),
            session_timeout: Duration::from_secs(6 + who as u64),
            rebalance_timeout: Duration::from_secs(who as u64 * 3),
            protocol_type: "consumer".to_owned(),
            protocols: vec![
                ("range".to_owned(), Bytes::from(vec![0; 100 * who])),
                (format!("own-{}", who % 2), Bytes::new()),
            ],
            requires_known_member_id: who != 2,
            supports_skipping_assignment: who == 0,
        };
        let (uuid, now) = (self.random.uuid(), self.clock.monotonic());
        self.group.join(request, ticket, uuid, &self.options, now);
    }

    fn sync(&mut self, who: usize) {
        let ticket = self.next_ticket(who);
        let client = &self.clients[who];
        let members = client.leads.clone().unwrap_or_default();
        let share = |(at, id): (usize, &String)| {
            let mine = (0..PARTITIONS).filter(|p| *p as usize % members.len() == at).collect::<Vec<_>>();
            (id.clone(), Bytes::from(mine))
        };
        let request = SyncGroup {
            group: GroupId::new("g").expect("valid"),
            generation: client.generation,
            member_id: client.id.clone(),
            instance_id: Self::instance(who),
            protocol_type: None,
            protocol: Some("range".to_owned()),
            assignments: members.iter().enumerate().map(share).collect(),
        };
        let now = self.clock.monotonic();
        self.group.sync(request, ticket, &self.options, now);
    }

    fn beat(&mut self, who: usize) {
        let (client, instance) = (&self.clients[who], Self::instance(who));
        if client.ticket.is_some() || !client.joined {
            return;
        }
        let now = self.clock.monotonic();
        let result = self.group.heartbeat(client.generation, &client.id, instance.as_deref(), now);
        self.bear(who, result.err());
    }

    fn hang_up(&mut self, who: usize) {
        if let Some(ticket) = self.clients[who].ticket.take() {
            let now = self.clock.monotonic();
            self.group.abandon(ticket, now);
            self.answered.insert(ticket);
        }
    }

    fn leave(&mut self, who: usize) {
        let leaving = Leaving { member_id: self.clients[who].id.clone(), instance_id: Self::instance(who) };
        self.hang_up(who);
        let now = self.clock.monotonic();
        drop(self.group.leave(&[leaving], now));
        self.clients[who] = Client::default();
    }

    fn pass(&mut self, time: Duration) {
        let end = self.clock.monotonic() + time;
        while let Some(next) = self.group.next_deadline().filter(|next| *next <= end) {
            self.clock.advance(next.saturating_duration_since(self.clock.monotonic()));
            self.group.expire(self.clock.monotonic());
            assert!(self.group.next_deadline().is_none_or(|later| later > next), "a deadline stands still");
        }
        self.clock.advance(end.saturating_duration_since(self.clock.monotonic()));
    }

    /// Connections break, and the group is as it was last stored.
    fn restart_server(&mut self) {
        self.collect();
        for client in &mut self.clients {
            self.answered.extend(client.ticket.take());
        }
        let now = self.clock.monotonic();
        let memory = Arc::clone(&self.memory);
        self.group = match self.stored.clone() {
            Some(stored) => Group::restore(stored, memory, now),
            None => Group::new(memory),
        };
        self.highest = self.group.stored().generation;
        self.leaders.clear();
        self.shares.clear();
    }

    fn collect(&mut self) {
        let outcome = self.group.take_outcome();
        if outcome.store {
            self.group.storing_succeeded();
            let stored = self.group.stored();
            let bytes = encode_group(&stored, Timestamp::from_millis(0)).len();
            assert!(bytes <= self.group.stored_memory_bytes(), "the stored form takes more than is counted");
            self.stored = Some(stored);
        }
        for reply in outcome.replies {
            let (Reply::Join(ticket, _) | Reply::Sync(ticket, _)) = reply;
            assert!(self.answered.insert(ticket), "ticket {ticket} is answered twice");
            let who = self.clients.iter().position(|client| client.ticket == Some(ticket)).expect("it waits");
            self.clients[who].ticket = None;
            match reply {
                Reply::Join(_, Ok(joined)) => self.joined(who, joined),
                Reply::Sync(_, Ok(synced)) => self.synced(who, &synced),
                Reply::Join(_, Err(error)) | Reply::Sync(_, Err(error)) => self.bear(who, Some(error)),
            }
        }
    }

    fn joined(&mut self, who: usize, joined: JoinResult) {
        let is_leader = joined.leader == joined.member_id;
        assert_eq!(is_leader, !joined.members.is_empty(), "the leader and no other learns of everybody");
        let ids: Vec<String> = joined.members.iter().map(|member| member.member_id.clone()).collect();
        if is_leader && !joined.skip_assignment {
            assert!(ids.contains(&joined.leader), "the leader is a member");
            let first = self.leaders.entry(joined.generation).or_insert_with(|| joined.leader.clone());
            assert_eq!(*first, joined.leader, "two leaders in generation {}", joined.generation);
        }
        let client = &mut self.clients[who];
        client.leads = is_leader.then_some(ids);
        client.id = joined.member_id;
        client.generation = joined.generation;
        client.joined = true;
        client.share = None;
    }

    fn synced(&mut self, who: usize, synced: &SyncResult) {
        let client = &mut self.clients[who];
        let share = synced.assignment.to_vec();
        client.share = Some(share.clone());
        let name = Self::instance(who).unwrap_or_else(|| client.id.clone());
        let shares = self.shares.entry(client.generation).or_default();
        let first = shares.entry(name).or_insert_with(|| share.clone());
        assert_eq!(*first, share, "one member got two shares in one generation");
        let mut given: Vec<u8> = shares.values().flatten().copied().collect();
        let all = given.len();
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), all, "a partition was given to two members");
    }

    /// What a client library does with a refusal.
    fn bear(&mut self, who: usize, error: Option<CoordinatorError>) {
        let Some(error) = error else { return };
        let client = &mut self.clients[who];
        match error {
            CoordinatorError::MemberIdRequired { member_id } => client.id = member_id,
            CoordinatorError::RebalanceInProgress | CoordinatorError::IllegalGeneration { .. } => {}
            CoordinatorError::UnknownMember | CoordinatorError::FencedInstance { .. } => client.id.clear(),
            other => panic!("no client can bear {other}"),
        }
        client.joined = false;
        client.share = None;
    }

    fn check(&mut self) {
        let stored = self.group.stored();
        assert!(stored.generation >= self.highest, "the generation fell");
        self.highest = stored.generation;
        let instances: Vec<_> =
            stored.members.iter().filter_map(|member| member.instance_id.clone()).collect();
        let distinct: BTreeSet<_> = instances.iter().collect();
        assert_eq!(distinct.len(), instances.len(), "an instance id belongs to two members");
        let ids: BTreeSet<_> = stored.members.iter().map(|member| member.member_id.clone()).collect();
        match self.group.state() {
            GroupState::Empty => assert!(ids.is_empty(), "an empty group has members"),
            GroupState::Stable | GroupState::CompletingRebalance => {
                assert!(stored.leader.is_some_and(|leader| ids.contains(&leader)), "the leader is no member");
                assert_eq!(stored.protocol.as_deref(), Some("range"), "not all members know the protocol");
            }
            GroupState::PreparingRebalance
            | GroupState::Assigning
            | GroupState::Reconciling
            | GroupState::Dead => {}
        }
        let waiting: BTreeSet<Ticket> = self.group.members().filter_map(|member| member.ticket()).collect();
        let expected: BTreeSet<Ticket> = self.clients.iter().filter_map(|client| client.ticket).collect();
        assert_eq!(waiting, expected, "who waits is not who the group thinks");
        assert_eq!(
            self.memory.bytes(),
            self.group.recount(),
            "the memory counted is not what the group takes"
        );
        assert!(
            self.memory.bytes_of_clients() <= self.memory.bytes(),
            "more is counted for addresses than for all"
        );
    }

    /// Everybody goes on as a client does, at one step a second.
    fn settle(&mut self) {
        for _ in 0..120 {
            for who in 0..CLIENTS {
                self.act(who);
                self.collect();
                self.check();
            }
            self.take(&Step::Pass(1_000));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_members_do(steps in prop::collection::vec(step(), 0..120), delay: bool) {
        let mut world = World::new(delay);
        for step in &steps {
            world.take(step);
        }
        world.settle();
        prop_assert_eq!(world.group.state(), GroupState::Stable);
        let mut given: Vec<u8> = world.clients.iter().flat_map(|client| client.share.clone().expect("a share")).collect();
        given.sort_unstable();
        prop_assert_eq!(given, (0..PARTITIONS).collect::<Vec<_>>());
        prop_assert_eq!(world.group.members().count(), CLIENTS);
    }
}
