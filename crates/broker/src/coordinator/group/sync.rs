//! Syncing: from the leader's assignment to everybody's share.

use std::collections::HashMap;
use std::time::Instant;

use bytes::Bytes;

use super::join::check_size;
use super::{CoordinatorError, Group, Member, Options, Reply, State, SyncResult, Ticket, WaitingRequest};
use crate::coordinator::SyncGroup;
use crate::coordinator::memory::MemoryShare;

impl Group {
    /// A member asks for its share; the leader brings everybody's. The answer comes under `ticket`.
    pub(crate) fn sync(&mut self, request: SyncGroup, ticket: Ticket, options: &Options, now: Instant) {
        if let Err(error) = self.try_sync(request, ticket, options, now) {
            self.outcome.replies.push(Reply::Sync(ticket, Err(error)));
        }
    }

    fn try_sync(
        &mut self,
        request: SyncGroup,
        ticket: Ticket,
        options: &Options,
        now: Instant,
    ) -> Result<(), CoordinatorError> {
        let id = request.member_id;
        self.check_member(&id, request.instance_id.as_deref())?;
        self.check_generation(request.generation)?;
        self.check_protocol(request.protocol_type.as_deref(), request.protocol.as_deref())?;
        match self.state {
            State::Empty | State::Dead => Err(CoordinatorError::UnknownMember),
            State::PreparingRebalance { .. } => Err(CoordinatorError::RebalanceInProgress),
            State::Stable => {
                self.heard(&id, now);
                self.answer_sync(&id, ticket);
                Ok(())
            }
            State::CompletingRebalance => {
                let assignment: Option<HashMap<_, _>> = match self.is_leader(&id) {
                    true => {
                        let sizes = request.assignments.iter().map(|(name, share)| name.len() + share.len());
                        let limit = options.max_group_metadata;
                        check_size("the assignment of the group's members", sizes.sum(), limit)?;
                        Some(request.assignments.into_iter().collect())
                    }
                    false => None,
                };
                let memory = assignment.as_ref().map(|shares| self.reserve_assignment(&id, shares));
                let memory = memory.transpose()?;
                self.supersede(&id, now);
                if let Some(member) = self.members.get_mut(&id) {
                    member.parked = Some(WaitingRequest::Sync { ticket });
                }
                if let (Some(assignment), Some(memory)) = (assignment, memory) {
                    self.share_out(&assignment, memory, now);
                }
                Ok(())
            }
        }
    }

    /// A client that tells what it takes the protocol to be must be right.
    fn check_protocol(&self, kind: Option<&str>, name: Option<&str>) -> Result<(), CoordinatorError> {
        let differs = |asked: Option<&str>, own: &Option<String>| asked.is_some() && asked != own.as_deref();
        if differs(kind, &self.protocol_type) || differs(name, &self.protocol) {
            return Err(CoordinatorError::InconsistentProtocol);
        }
        Ok(())
    }

    /// Gives each member its share, nothing to those that the leader left out; `memory` is for all of it.
    fn share_out(&mut self, shares: &HashMap<String, Bytes>, mut memory: MemoryShare, now: Instant) {
        self.state = State::Stable;
        self.outcome.store = true;
        let mut waiting = Vec::new();
        for member in self.members.values_mut() {
            let share = shares.get(&member.id).map(Bytes::as_ref).unwrap_or_default();
            member.assign(share, memory.split(share.len()));
            if let Some(WaitingRequest::Sync { ticket }) = member.parked {
                member.parked = None;
                member.heard(now);
                waiting.push((member.id.clone(), ticket));
            }
        }
        self.set_stored(memory);
        for (id, ticket) in waiting {
            self.answer_sync(&id, ticket);
        }
    }

    fn answer_sync(&mut self, id: &str, ticket: Ticket) {
        let (protocol_type, protocol) = (self.protocol_type.clone(), self.protocol.clone());
        let Some(member) = self.members.get_mut(id) else { return };
        member.synced = true;
        let synced = SyncResult { protocol_type, protocol, assignment: member.assignment.clone() };
        self.outcome.replies.push(Reply::Sync(ticket, Ok(synced)));
        if self.members.values().all(|member| member.synced) {
            self.sync_deadline = None;
        }
    }

    /// Takes out the members that joined and never fetched their share.
    pub(super) fn sync_time_is_up(&mut self, now: Instant) {
        self.sync_deadline = None;
        let silent = |member: &&Member| !member.synced && member.parked.is_none();
        let gone: Vec<_> = self.members.values().filter(silent).map(|member| member.id.clone()).collect();
        for id in &gone {
            self.remove(id);
        }
        if !gone.is_empty() {
            self.rebalance(now);
        }
    }
}
