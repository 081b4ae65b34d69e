//! One classic consumer group as a state machine: no I/O, no clock, no waiting.
//!
//! ```text
//!            join                    all joined, or time is up
//!   Empty ─────────► PreparingRebalance ─────────► CompletingRebalance
//!     ▲               ▲    │   ▲   ▲                       │ leader syncs
//!     └── all left ───┼────┘   │   └── join, leave ────────┤
//!                     └ join, leave, expiry ─── Stable ◄───┘            any ──► Dead
//! ```
//!
//! A request that must wait is *parked* under its ticket; its answer comes out of [`Group::take_outcome`] after a
//! later call. Time is what the caller says: it calls [`Group::expire`] at [`Group::next_deadline`].
//!
//! Invariants:
//! - each ticket is answered exactly once, unless it was abandoned;
//! - the generation rises with each rebalance, and each of its members has at most one share in it;
//! - a group with members has one leader, who is one of them, once a generation has begun;
//! - an instance id belongs to one member at most.
//!
//! The rules are those of Kafka's `GroupCoordinator` with KIP-345 (static members), KIP-394 (ids before
//! membership) and KIP-814 (static leaders). Two differ: a caller that hangs up while parked starts its session
//! there and then, and a member may change all its protocols when it is alone.

mod join;
mod member;
mod memory;
mod sync;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use factum_types::TopicName;

pub(crate) use self::join::{MAX_NAME_BYTES, check_size, shorten};
pub(crate) use self::member::{Member, WaitingRequest};
use self::memory::{PendingId, StoredMemory};
use super::memory::GroupMemory;
use super::records::{GroupMetadata, StoredMember};
use super::{CoordinatorError, GroupState, JoinResult, Leaving, Options, SyncResult, consumer_protocol};

/// Names a request that may have to wait.
pub(crate) type Ticket = u64;

/// What the caller is to do after a call.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Whether the group's metadata must be stored before anything is answered.
    pub(crate) store: bool,
    /// Requests that are answered now.
    pub(crate) replies: Vec<Reply>,
}

/// The answer to a parked request.
#[derive(Debug)]
pub(crate) enum Reply {
    Join(Ticket, Result<JoinResult, CoordinatorError>),
    Sync(Ticket, Result<SyncResult, CoordinatorError>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Empty,
    /// `grace` is set while the first rebalance of an empty group waits for more members.
    PreparingRebalance {
        deadline: Instant,
        grace: Option<Grace>,
    },
    CompletingRebalance,
    Stable,
    Dead,
}

/// The wait for more members, prolonged by `step` as long as they come, at most by `remaining` in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grace {
    step: Duration,
    remaining: Duration,
    someone_came: bool,
}

/// One group.
#[derive(Debug)]
pub(crate) struct Group {
    state: State,
    generation: i32,
    protocol_type: Option<String>,
    protocol: Option<String>,
    leader: Option<String>,
    members: BTreeMap<String, Member>,
    pending: BTreeMap<String, PendingId>,
    /// When members that have not fetched their share are taken out.
    sync_deadline: Option<Instant>,
    /// The memory of all groups.
    memory: Arc<GroupMemory>,
    stored_memory: StoredMemory,
    outcome: Outcome,
}

impl Group {
    /// A group that no one has joined; what its members bring is taken from `memory`.
    pub(crate) fn new(memory: Arc<GroupMemory>) -> Self {
        Self {
            state: State::Empty,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            pending: BTreeMap::new(),
            sync_deadline: None,
            memory,
            stored_memory: StoredMemory::default(),
            outcome: Outcome::default(),
        }
    }

    /// A group that no one has joined, whose first generation comes after `generation`.
    pub(crate) fn after(generation: i32, memory: Arc<GroupMemory>) -> Self {
        Self { generation, ..Self::new(memory) }
    }

    /// The group as it was stored: its members go on in their generation, their sessions start over.
    pub(crate) fn restore(stored: GroupMetadata, memory: Arc<GroupMemory>, now: Instant) -> Self {
        let protocol = stored.protocol.clone().unwrap_or_default();
        let members: BTreeMap<_, _> = stored
            .members
            .into_iter()
            .map(|member| (member.member_id.clone(), Member::restore(member, &protocol, &memory, now)))
            .collect();
        let leader = stored.leader.filter(|id| members.contains_key(id));
        let mut group = Self {
            state: if members.is_empty() { State::Empty } else { State::Stable },
            generation: stored.generation.max(0),
            protocol_type: (!stored.protocol_type.is_empty()).then_some(stored.protocol_type),
            protocol: stored.protocol,
            leader: leader.or_else(|| members.keys().next().cloned()),
            members,
            ..Self::new(memory)
        };
        group.restore_stored();
        group
    }

    /// The group as it is to be stored: meaningful when an outcome asks for it.
    pub(crate) fn stored(&self) -> GroupMetadata {
        GroupMetadata {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            members: self.members.values().map(|member| self.stored_member(member)).collect(),
        }
    }

    /// What is to be done since the last time this was asked.
    pub(crate) fn take_outcome(&mut self) -> Outcome {
        std::mem::take(&mut self.outcome)
    }

    pub(crate) fn state(&self) -> GroupState {
        match self.state {
            State::Empty => GroupState::Empty,
            State::PreparingRebalance { .. } => GroupState::PreparingRebalance,
            State::CompletingRebalance => GroupState::CompletingRebalance,
            State::Stable => GroupState::Stable,
            State::Dead => GroupState::Dead,
        }
    }

    pub(crate) fn generation(&self) -> i32 {
        self.generation
    }

    pub(crate) fn protocol_type(&self) -> Option<&str> {
        self.protocol_type.as_deref()
    }

    /// The protocol chosen; none unless the group is stable.
    pub(crate) fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref().filter(|_| self.state == State::Stable)
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub(crate) fn member_metadata(&self, member: &Member) -> Bytes {
        member.metadata(self.protocol())
    }

    /// The topics that members read; `None` while that cannot be told.
    pub(crate) fn subscribed_topics(&self) -> Option<BTreeSet<TopicName>> {
        let subscription = |member| consumer_protocol::decode_subscription(&self.member_metadata(member));
        let subscriptions: Option<Vec<_>> = self.members().map(subscription).collect();
        Some(subscriptions?.into_iter().flatten().collect())
    }

    /// Whether no one is in the group or on the way in.
    pub(crate) fn is_deserted(&self) -> bool {
        matches!(self.state, State::Empty | State::Dead) && self.pending.is_empty()
    }

    /// Ends the group: members that are joining have to start over.
    pub(crate) fn die(&mut self) {
        let parked: Vec<_> = self.members.values_mut().filter_map(|member| member.parked.take()).collect();
        for parked in parked {
            self.refuse(parked, CoordinatorError::UnknownMember);
        }
        self.members.clear();
        self.pending.clear();
        self.leader = None;
        self.sync_deadline = None;
        self.stored_memory = StoredMemory::default();
        self.state = State::Dead;
    }

    /// A member says that it lives.
    ///
    /// # Errors
    /// [`CoordinatorError::RebalanceInProgress`] while the group waits for it to join; the member is alive all
    /// the same.
    pub(crate) fn heartbeat(
        &mut self,
        generation: i32,
        member_id: &str,
        instance_id: Option<&str>,
        now: Instant,
    ) -> Result<(), CoordinatorError> {
        self.check_member(member_id, instance_id)?;
        self.check_generation(generation)?;
        self.heard(member_id, now);
        match self.state {
            State::PreparingRebalance { .. } => Err(CoordinatorError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// Whether offsets may be committed by this member, or by a client that is none (generation -1).
    ///
    /// # Errors
    /// [`CoordinatorError`], as Kafka's.
    pub(crate) fn check_commit(
        &mut self,
        generation: i32,
        member_id: &str,
        instance_id: Option<&str>,
        now: Instant,
    ) -> Result<(), CoordinatorError> {
        if is_outsider(generation, member_id, instance_id) {
            // While there are members, offsets are theirs alone.
            return if self.members.is_empty() { Ok(()) } else { Err(CoordinatorError::UnknownMember) };
        }
        self.check_transactional_commit(generation, member_id, instance_id, now)?;
        match self.state {
            // It has the new generation but not yet its share: whatever it read was another's by now.
            State::CompletingRebalance if !self.members.is_empty() => {
                Err(CoordinatorError::RebalanceInProgress)
            }
            _ => Ok(()),
        }
    }

    /// The same for a commit in a transaction: a producer that names no member is let in beside members, and a
    /// rebalance holds up no one (KIP-447).
    ///
    /// # Errors
    /// [`CoordinatorError`], as Kafka's.
    pub(crate) fn check_transactional_commit(
        &mut self,
        generation: i32,
        member_id: &str,
        instance_id: Option<&str>,
        now: Instant,
    ) -> Result<(), CoordinatorError> {
        let is_outsider = is_outsider(generation, member_id, instance_id);
        if is_outsider || generation < 0 && self.members.is_empty() {
            return Ok(());
        }
        self.check_member(member_id, instance_id)?;
        self.check_generation(generation)?;
        self.heard(member_id, now);
        Ok(())
    }

    /// Members go, each with a result of its own: [`CoordinatorError::UnknownMember`] or
    /// [`CoordinatorError::FencedInstance`] where it does not. The others rebalance once, not for each.
    pub(crate) fn leave(&mut self, leaving: &[Leaving], now: Instant) -> Vec<Result<(), CoordinatorError>> {
        let instance = |member: &Member| Some((member.instance_id.clone()?, member.id.clone()));
        let holders: HashMap<_, _> = self.members.values().filter_map(instance).collect();
        let before = self.members.len();
        let left = leaving.iter().map(|leaving| self.leave_one(leaving, &holders)).collect();
        match self.members.len() < before {
            true => self.rebalance(now),
            false => self.complete_join_if_all_came(now),
        }
        left
    }

    /// `holders` are the members by instance id.
    fn leave_one(
        &mut self,
        leaving: &Leaving,
        holders: &HashMap<String, String>,
    ) -> Result<(), CoordinatorError> {
        let Leaving { member_id, instance_id } = leaving;
        let holder = instance_id.as_ref().map(|instance| holders.get(instance));
        let id = match (instance_id, holder) {
            (Some(_), Some(None)) => return Err(CoordinatorError::UnknownMember),
            (Some(_), Some(Some(holder))) if member_id.is_empty() || holder == member_id => holder,
            (Some(instance_id), _) => {
                return Err(CoordinatorError::FencedInstance { instance_id: instance_id.clone() });
            }
            (None, _) if self.pending.remove(member_id).is_some() => return Ok(()),
            (None, _) => member_id,
        };
        match self.members.contains_key(id) {
            true => {
                self.remove(id);
                Ok(())
            }
            false => Err(CoordinatorError::UnknownMember),
        }
    }

    /// The caller of a parked request has gone. Its member's session begins now; a member that never learnt
    /// its id cannot come back and is taken out.
    pub(crate) fn abandon(&mut self, ticket: Ticket, now: Instant) {
        let Some(member) = self.members.values_mut().find(|member| member.ticket() == Some(ticket)) else {
            return;
        };
        let parked = member.parked.take();
        member.heard(now);
        if matches!(parked, Some(WaitingRequest::Join { knows_id: false, .. })) && !member.is_static() {
            let id = member.id.clone();
            self.members.remove(&id);
            self.rebalance(now);
        }
    }

    /// The metadata that the last outcome asked to store was not stored: rebalance.
    pub(crate) fn storing_failed(&mut self, now: Instant) {
        self.forget_next_stored();
        if self.state == State::Stable {
            self.members.values_mut().for_each(Member::unassign);
            self.rebalance(now);
        }
    }

    /// The next instant at which [`Group::expire`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let sessions = self.members.values().filter(|member| member.parked.is_none()).map(|m| m.expires);
        let rebalance = match self.state {
            State::PreparingRebalance { deadline, .. } => Some(deadline),
            _ => self.sync_deadline,
        };
        sessions.chain(self.pending.values().map(|id| id.lapses)).chain(rebalance).min()
    }

    /// Does what is due: lapsed ids, ended sessions, members that the others have waited for long enough.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.pending.retain(|_, id| id.lapses > now);
        let ended = |member: &&Member| member.parked.is_none() && member.expires <= now;
        let gone: Vec<_> = self.members.values().filter(ended).map(|member| member.id.clone()).collect();
        for id in &gone {
            self.remove(id);
        }
        if !gone.is_empty() {
            self.rebalance(now);
        }
        self.complete_join_if_all_came(now);
        if let State::PreparingRebalance { deadline, grace } = self.state
            && deadline <= now
        {
            self.join_time_is_up(grace, now);
        }
        if self.sync_deadline.is_some_and(|deadline| deadline <= now) {
            self.sync_time_is_up(now);
        }
    }

    fn check_member(&self, member_id: &str, instance_id: Option<&str>) -> Result<(), CoordinatorError> {
        let member = self.members.get(member_id);
        if let Some(instance) = instance_id
            && member.is_none_or(|member| member.instance_id.as_deref() != Some(instance))
        {
            self.holder(instance).ok_or(CoordinatorError::UnknownMember)?;
            return Err(CoordinatorError::FencedInstance { instance_id: instance.to_owned() });
        }
        member.map(|_| ()).ok_or(CoordinatorError::UnknownMember)
    }

    fn check_generation(&self, asked: i32) -> Result<(), CoordinatorError> {
        if asked == self.generation {
            return Ok(());
        }
        Err(CoordinatorError::IllegalGeneration { asked, current: self.generation })
    }

    /// The member that has this instance id.
    fn holder(&self, instance_id: &str) -> Option<&Member> {
        self.members.values().find(|member| member.instance_id.as_deref() == Some(instance_id))
    }

    fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    fn heard(&mut self, member_id: &str, now: Instant) {
        if let Some(member) = self.members.get_mut(member_id) {
            member.heard(now);
        }
    }

    fn remove(&mut self, id: &str) {
        let Some(member) = self.members.remove(id) else { return };
        if let Some(parked) = member.parked {
            self.refuse(parked, CoordinatorError::UnknownMember);
        }
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
    }

    fn refuse(&mut self, parked: WaitingRequest, error: CoordinatorError) {
        self.outcome.replies.push(match parked {
            WaitingRequest::Join { ticket, .. } => Reply::Join(ticket, Err(error)),
            WaitingRequest::Sync { ticket } => Reply::Sync(ticket, Err(error)),
        });
    }

    fn stored_member(&self, member: &Member) -> StoredMember {
        StoredMember {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout: member.rebalance_timeout,
            session_timeout: member.session_timeout,
            subscription: member.metadata(self.protocol.as_deref()),
            assignment: member.assignment.clone(),
        }
    }
}

/// Whether a commit names no member of any generation.
fn is_outsider(generation: i32, member_id: &str, instance_id: Option<&str>) -> bool {
    generation < 0 && member_id.is_empty() && instance_id.is_none()
}
