//! One consumer group of the newer protocol (KIP-848) as a state machine: no I/O, no clock, no waiting.
//!
//! ```text
//!   heartbeat, leave, expiry ──► Decision: records and a response ──► journal ──► apply, record by record
//!                                                                     replay ──► apply
//!
//!   group epoch        rises when members or their topics change
//!   assignment epoch   the group epoch that the target assignment was made for
//!   member epoch       the assignment epoch that the member has reached, or is on its way to
//! ```
//!
//! Deciding changes nothing; a decision is applied once its records are in the journal, by the same code that applies them
//! when the journal is read back. So a group that could not be stored is as it was, and a restart goes on where it was.
//!
//! Invariants:
//! - a partition belongs to one member at most, assigned or still to be given up;
//! - the epochs of the group never fall, and a member's only where it joins again or leaves for a while;
//! - an instance id belongs to one member at most.
//!
//! The rules are those of Kafka's `GroupMetadataManager` and `CurrentAssignmentBuilder`. Two differ: a member that joins
//! with an id that the group knows (epoch 0) starts over with it rather than being fenced until its session ends, and a
//! regular expression is matched before the heartbeat that brings it is answered, for each member by its own rights.
//!
//! Not here: members of the classic protocol, which Kafka lets into a consumer group while it is migrated.

mod assignor;
mod departure;
mod description;
pub(crate) mod directory;
mod heartbeat;
mod member;
mod memory;
mod partition_set;
mod reconcile;
pub(crate) mod records;
mod regex;
mod target;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use factum_types::{TopicId, TopicName};

use self::assignor::Assignor;
pub(crate) use self::heartbeat::Context;
pub(crate) use self::member::JOIN_EPOCH;
use self::member::{ConsumerMember, CurrentAssignment, MemberMetadata, MemberState};
use self::memory::SharedMemory;
pub use self::partition_set::PartitionSet;
use self::records::{ConsumerRecord, SubscribedTopic};
pub(crate) use self::regex::MatchedTopics;
use self::regex::RegexView;
#[cfg(test)]
pub(crate) use self::tests::rig::TopicsInMemory;
use super::memory::MemoryShare;
use super::{ConsumerHeartbeatResult, CoordinatorError, GroupState};

/// The topics that a regular expression matches.
#[derive(Debug, Default)]
struct ResolvedRegex {
    /// Those that any member with it sees, in order.
    topics: Vec<TopicName>,
}

/// What is to be done, and what is answered once it is on disk.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) records: Vec<ConsumerRecord>,
    pub(crate) result: ConsumerHeartbeatResult,
    upkeep: Upkeep,
}

/// What a decision changes that is not stored.
#[derive(Debug, Default)]
struct Upkeep {
    /// The member that was heard of, with the memory that it takes if that changes.
    heard: Option<(String, Option<MemoryShare>)>,
    shared_memory: Option<MemoryShare>,
    /// The directory's version that the group's topics are of.
    seen: Option<(u64, Instant)>,
    /// What the member that was heard of sees of its regular expression.
    view: Option<RegexView>,
    /// Whether a target was computed.
    is_assigned: bool,
}

/// One group.
#[derive(Debug, Default)]
pub(crate) struct ConsumerGroup {
    epoch: i32,
    assignment_epoch: i32,
    /// Those that any member reads.
    topics: BTreeMap<TopicId, SubscribedTopic>,
    members: BTreeMap<String, ConsumerMember>,
    regexes: BTreeMap<String, ResolvedRegex>,
    /// The directory's version that `topics` are of, and when it was asked; none if they may have changed.
    seen: Option<(u64, Instant)>,
    /// Whether a target was computed since the start, so that members not heard of by then may have been given too little.
    is_assigned: bool,
    shared_memory: SharedMemory,
}

impl ConsumerGroup {
    /// A group without members, whose first epoch comes after `epoch`.
    pub(crate) fn after(epoch: i32) -> Self {
        Self { epoch, assignment_epoch: epoch, ..Self::default() }
    }

    /// Takes over one record of a decision, or of the journal. Sessions begin at `now`, as long as `session`.
    pub(crate) fn apply(&mut self, record: ConsumerRecord, session: Duration, now: Instant) {
        match record {
            ConsumerRecord::Epoch(epoch) => self.epoch = epoch.unwrap_or(self.epoch),
            ConsumerRecord::AssignmentEpoch(epoch) => {
                self.assignment_epoch = epoch.unwrap_or(self.assignment_epoch);
            }
            ConsumerRecord::Topics(topics) => self.topics = topics.unwrap_or_default(),
            ConsumerRecord::Member(id, None) => drop(self.members.remove(&id)),
            ConsumerRecord::Member(id, Some(metadata)) => {
                self.member_or_new(id, session, now).metadata = Some(metadata);
            }
            ConsumerRecord::Target(id, Some(target)) => self.member_or_new(id, session, now).target = target,
            ConsumerRecord::Target(id, None) => {
                if let Some(member) = self.members.get_mut(&id) {
                    member.target = PartitionSet::default();
                }
            }
            ConsumerRecord::Current(id, current) => {
                if current.is_some() || self.members.contains_key(&id) {
                    let member = self.member_or_new(id, session, now);
                    member.set_current(current.unwrap_or_default(), now);
                }
            }
            ConsumerRecord::Regex(pattern, None) => drop(self.regexes.remove(&pattern)),
            ConsumerRecord::Regex(pattern, Some((topics, _))) => {
                self.regexes.insert(pattern, ResolvedRegex { topics });
            }
        }
    }

    /// Takes over what a decision changes besides its records; gives what is answered.
    pub(crate) fn keep_up(
        &mut self,
        decision: Decision,
        session: Duration,
        now: Instant,
    ) -> ConsumerHeartbeatResult {
        let Upkeep { heard, shared_memory, seen, view, is_assigned } = decision.upkeep;
        if let Some((id, memory)) = heard
            && let Some(member) = self.members.get_mut(&id)
        {
            member.expires = now + session;
            member.memory = memory.or(member.memory.take());
            member.view = view.clone().or(member.view.take());
        }
        if let Some(view) = view {
            let known = self.members.values_mut().filter_map(|member| member.view.as_mut());
            known.filter(|known| known.is_of(&view)).for_each(|known| known.clone_from(&view));
        }
        self.is_assigned |= is_assigned;
        self.seen = seen.or(self.seen);
        if shared_memory.is_some() {
            self.shared_memory.set(shared_memory);
        }
        decision.result
    }

    /// The live state as records, in the order in which they are written.
    pub(crate) fn to_records(&self) -> Vec<ConsumerRecord> {
        let mut records = vec![ConsumerRecord::Epoch(Some(self.epoch))];
        records.push(ConsumerRecord::Topics(Some(self.topics.clone())));
        for (pattern, regex) in &self.regexes {
            records.push(ConsumerRecord::Regex(pattern.clone(), Some((regex.topics.clone(), 0))));
        }
        for (id, member) in &self.members {
            records.push(ConsumerRecord::Member(id.clone(), member.metadata.clone()));
        }
        records.push(ConsumerRecord::AssignmentEpoch(Some(self.assignment_epoch)));
        for (id, member) in &self.members {
            records.push(ConsumerRecord::Target(id.clone(), Some(member.target.clone())));
            records.push(ConsumerRecord::Current(id.clone(), Some(member.current.clone())));
        }
        records
    }

    /// The removal of everything that the journal has of a group without members.
    pub(crate) fn removal(&self) -> Vec<ConsumerRecord> {
        let regexes = self.regexes.keys().map(|pattern| ConsumerRecord::Regex(pattern.clone(), None));
        let rest = [
            ConsumerRecord::AssignmentEpoch(None),
            ConsumerRecord::Topics(None),
            ConsumerRecord::Epoch(None),
        ];
        regexes.chain(rest).collect()
    }

    pub(crate) fn epoch(&self) -> i32 {
        self.epoch
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn state(&self) -> GroupState {
        let is_reconciled = |member: &ConsumerMember| member.current.is_reconciled_to(self.assignment_epoch);
        if self.members.is_empty() {
            GroupState::Empty
        } else if self.epoch > self.assignment_epoch {
            GroupState::Assigning
        } else if self.members.values().all(is_reconciled) {
            GroupState::Stable
        } else {
            GroupState::Reconciling
        }
    }

    /// Every topic that members name or match.
    pub(crate) fn subscribed_topics(&self) -> BTreeSet<TopicName> {
        let metadata = self.members.values().filter_map(|member| member.metadata.as_ref());
        let named = metadata.flat_map(|metadata| &metadata.topics);
        named.chain(self.regexes.values().flat_map(|regex| &regex.topics)).cloned().collect()
    }

    /// Whether offsets may be committed by this member in this epoch, or by a client that is none (epoch -1), which is let in
    /// beside members if it is a producer with a transaction (KIP-447).
    ///
    /// # Errors
    /// [`CoordinatorError`], as Kafka's.
    pub(crate) fn check_commit(
        &self,
        epoch: i32,
        member_id: &str,
        is_transactional: bool,
    ) -> Result<(), CoordinatorError> {
        let is_outsider = epoch < 0 && (self.members.is_empty() || is_transactional && member_id.is_empty());
        if is_outsider { Ok(()) } else { self.check_epoch(epoch, member_id) }
    }

    /// Whether this member is in this epoch.
    ///
    /// # Errors
    /// [`CoordinatorError::UnknownMember`], [`CoordinatorError::StaleMemberEpoch`].
    pub(crate) fn check_epoch(&self, epoch: i32, member_id: &str) -> Result<(), CoordinatorError> {
        let current = self.members.get(member_id).ok_or(CoordinatorError::UnknownMember)?.current.epoch;
        match epoch == current {
            true => Ok(()),
            false => Err(CoordinatorError::StaleMemberEpoch { asked: epoch, current }),
        }
    }

    /// The next instant at which a member is taken out.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.members.values().map(ConsumerMember::deadline).min()
    }

    /// The member that has this instance id.
    fn holder(&self, instance_id: &str) -> Option<(&String, &ConsumerMember)> {
        self.members.iter().find(|(_, member)| member.instance_id() == Some(instance_id))
    }

    fn member_or_new(&mut self, id: String, session: Duration, now: Instant) -> &mut ConsumerMember {
        self.members.entry(id).or_insert_with(|| ConsumerMember::new(now + session))
    }

    /// The assignor that most of these members like, the default where they name none.
    fn preferred_assignor<'a>(members: impl Iterator<Item = &'a MemberMetadata>) -> Assignor {
        let mut votes = [0_usize; Assignor::ALL.len()];
        for name in members.filter_map(|metadata| metadata.assignor.as_deref()) {
            if let Some(at) = Assignor::ALL.iter().position(|assignor| assignor.name() == name) {
                votes[at] += 1;
            }
        }
        let best = Assignor::ALL.into_iter().zip(votes).rev().max_by_key(|(_, votes)| *votes);
        best.map_or(Assignor::Uniform, |(assignor, _)| assignor)
    }

    /// The assignor in force.
    pub(crate) fn assignor(&self) -> &'static str {
        let members = self.members.values().filter_map(|member| member.metadata.as_ref());
        Self::preferred_assignor(members).name()
    }

    /// What is left of a group that was read back from a journal that begins in the middle of a change.
    pub(crate) fn drop_fragments(&mut self) {
        self.members.retain(|_, member| member.metadata.is_some());
        let used: BTreeSet<_> =
            self.members.values().filter_map(|member| member.metadata.as_ref()?.regex.clone()).collect();
        self.regexes.retain(|pattern, _| used.contains(pattern));
    }
}

impl ConsumerMember {
    fn set_current(&mut self, current: CurrentAssignment, now: Instant) {
        let patience = self.metadata.as_ref().map_or(Duration::ZERO, |metadata| metadata.rebalance_timeout);
        let is_waiting = current.state == MemberState::UnrevokedPartitions;
        let waited =
            self.current.state == MemberState::UnrevokedPartitions && self.current.epoch == current.epoch;
        self.revocation_ends = match self.revocation_ends {
            Some(ends) if is_waiting && waited => Some(ends),
            _ => is_waiting.then(|| now + patience),
        };
        self.current = current;
    }
}

/// The memory of all groups.
pub(crate) type Memory = Arc<super::memory::GroupMemory>;
