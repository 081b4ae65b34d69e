//! Members that go: by themselves, or because they were silent or held on to partitions for too long.

use std::collections::HashSet;
use std::time::Instant;

use super::heartbeat::Context;
use super::member::STATIC_LEAVE_EPOCH;
use super::{ConsumerGroup, ConsumerRecord, CurrentAssignment, Decision, MemberState, PartitionSet, Upkeep};
use crate::coordinator::{ConsumerHeartbeat, ConsumerHeartbeatResult, CoordinatorError};

impl ConsumerGroup {
    /// A member goes, or a static one for a while.
    pub(super) fn decide_leave(
        &self,
        request: &ConsumerHeartbeat,
        context: &Context<'_>,
    ) -> Result<Decision, CoordinatorError> {
        let member = match &request.instance_id {
            None => self.members.get(&request.member_id).ok_or(CoordinatorError::UnknownMember)?,
            Some(instance) => self.check_holder(instance, &request.member_id)?,
        };
        let is_back_soon = request.member_epoch == STATIC_LEAVE_EPOCH;
        let mut upkeep = Upkeep::default();
        let records = if is_back_soon {
            // It keeps what it has, but what it was to give up it has given up.
            let current = CurrentAssignment {
                epoch: STATIC_LEAVE_EPOCH,
                previous_epoch: member.current.epoch,
                state: MemberState::Stable,
                assigned: member.current.assigned.clone(),
                revoking: PartitionSet::default(),
            };
            upkeep.heard = Some((request.member_id.clone(), None));
            vec![ConsumerRecord::Current(request.member_id.clone(), Some(current))]
        } else {
            self.removal_of(&[request.member_id.as_str()])
        };
        let result = ConsumerHeartbeatResult {
            member_id: request.member_id.clone(),
            member_epoch: request.member_epoch,
            heartbeat_interval: context.options.heartbeat_interval,
            assignment: None,
        };
        Ok(Decision { records, result, upkeep })
    }

    /// The records that take out the members whose time is up.
    pub(crate) fn expiry(&self, now: Instant) -> Vec<ConsumerRecord> {
        let is_due = |id: &&str| self.members.get(*id).is_some_and(|member| member.deadline() <= now);
        let gone: Vec<_> = self.members.keys().map(String::as_str).filter(is_due).collect();
        if gone.is_empty() { Vec::new() } else { self.removal_of(&gone) }
    }

    /// The expiry could not be stored: it is tried again at `then`.
    pub(crate) fn put_off_expiry(&mut self, then: Instant) {
        for member in self.members.values_mut() {
            member.expires = member.expires.max(then);
            member.revocation_ends = member.revocation_ends.map(|ends| ends.max(then));
        }
    }

    /// The group's topics are looked up again at the next heartbeat, because members went.
    pub(crate) fn forget_seen(&mut self) {
        self.seen = None;
    }

    /// Takes members out; the others learn of it with the next group epoch.
    fn removal_of(&self, gone: &[&str]) -> Vec<ConsumerRecord> {
        let mut records = Vec::new();
        for id in gone {
            records.extend(removed_member(id));
        }
        let gone: HashSet<&str> = gone.iter().copied().collect();
        let stay = self.members.iter().filter(|(id, _)| !gone.contains(id.as_str()));
        let used: HashSet<_> =
            stay.filter_map(|(_, member)| member.metadata.as_ref()?.regex.as_ref()).collect();
        let unused = self.regexes.keys().filter(|pattern| !used.contains(pattern));
        records.extend(unused.map(|pattern| ConsumerRecord::Regex(pattern.clone(), None)));
        records.push(ConsumerRecord::Epoch(Some(self.epoch.saturating_add(1))));
        records
    }
}

/// The removal of all records of a member.
pub(super) fn removed_member(id: &str) -> [ConsumerRecord; 3] {
    [
        ConsumerRecord::Current(id.to_owned(), None),
        ConsumerRecord::Target(id.to_owned(), None),
        ConsumerRecord::Member(id.to_owned(), None),
    ]
}
