//! One member of a group.

use std::mem::size_of;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Ticket;
use crate::coordinator::memory::{ENTRY_BYTES, GroupMemory, MemoryShare, client_of};
use crate::coordinator::records::StoredMember;
use crate::coordinator::{JoinGroup, JoinedMember};

/// The request of a member that waits for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitingRequest {
    /// For the next generation. `knows_id` is false where only the answer will tell the client its id.
    Join { ticket: Ticket, knows_id: bool },
    /// For the leader's assignment.
    Sync { ticket: Ticket },
}

/// A member: what it asked for, and where it is in the rebalance.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocols: Vec<(String, Bytes)>,
    pub(crate) assignment: Bytes,
    /// The memory that it takes without its assignment.
    pub(super) memory: MemoryShare,
    /// The memory that its assignment takes; counts for the address of the leader that made it.
    pub(super) assignment_memory: Option<MemoryShare>,
    /// Its request that waits; while one waits, the session does not run out.
    pub(crate) parked: Option<WaitingRequest>,
    /// When its session ends unless it is heard of.
    pub(crate) expires: Instant,
    /// Whether it has fetched its share of this generation, or is not expected to.
    pub(crate) synced: bool,
}

impl Member {
    /// `memory` is what [`joining_bytes`] says of the request.
    pub(super) fn new(
        id: String,
        request: JoinGroup,
        memory: MemoryShare,
        parked: WaitingRequest,
        now: Instant,
    ) -> Self {
        Self {
            id,
            instance_id: request.instance_id,
            client_id: request.client_id,
            client_host: request.client_host,
            session_timeout: request.session_timeout,
            rebalance_timeout: request.rebalance_timeout,
            protocols: copied(&request.protocols),
            assignment: Bytes::new(),
            memory,
            assignment_memory: None,
            parked: Some(parked),
            expires: now + request.session_timeout,
            synced: true,
        }
    }

    /// Takes over what a later request of the same member says.
    pub(super) fn update(&mut self, request: JoinGroup, memory: MemoryShare, now: Instant) {
        self.client_id = request.client_id;
        self.client_host = request.client_host;
        self.session_timeout = request.session_timeout;
        self.rebalance_timeout = request.rebalance_timeout;
        self.protocols = copied(&request.protocols);
        self.memory = memory;
        self.heard(now);
    }

    /// Takes its part of the assignment, for which there is memory.
    pub(super) fn assign(&mut self, assignment: &[u8], memory: MemoryShare) {
        self.assignment = Bytes::copy_from_slice(assignment);
        self.assignment_memory = Some(memory);
    }

    pub(super) fn unassign(&mut self) {
        self.assignment = Bytes::new();
        self.assignment_memory = None;
    }

    /// The member as it was stored, with its memory, whatever the limits.
    pub(super) fn restore(
        stored: StoredMember,
        protocol: &str,
        memory: &Arc<GroupMemory>,
        now: Instant,
    ) -> Self {
        let client = Some(client_of(&stored.client_host));
        let assignment = memory.take_always(client, stored.assignment.len());
        let mut member = Self {
            id: stored.member_id,
            instance_id: stored.instance_id,
            client_id: stored.client_id,
            client_host: stored.client_host,
            session_timeout: stored.session_timeout,
            rebalance_timeout: stored.rebalance_timeout,
            protocols: copied(&[(protocol.to_owned(), stored.subscription)]),
            assignment: Bytes::new(),
            memory: memory.take_always(client, 0),
            assignment_memory: None,
            parked: None,
            expires: now + stored.session_timeout,
            synced: true,
        };
        member.memory = memory.take_always(client, member.bytes());
        member.assign(&stored.assignment, assignment);
        member
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.expires = now + self.session_timeout;
    }

    pub(super) fn is_static(&self) -> bool {
        self.instance_id.is_some()
    }

    pub(super) fn awaits_join(&self) -> bool {
        matches!(self.parked, Some(WaitingRequest::Join { .. }))
    }

    pub(super) fn ticket(&self) -> Option<Ticket> {
        match self.parked {
            Some(WaitingRequest::Join { ticket, .. } | WaitingRequest::Sync { ticket }) => Some(ticket),
            None => None,
        }
    }

    /// The protocols that it offers, best first.
    pub(super) fn protocol_names(&self) -> impl Iterator<Item = &str> {
        self.protocols.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn metadata(&self, protocol: Option<&str>) -> Bytes {
        let found = self.protocols.iter().find(|(name, _)| Some(name.as_str()) == protocol);
        found.map(|(_, metadata)| metadata.clone()).unwrap_or_default()
    }

    pub(super) fn joined(&self, protocol: Option<&str>) -> JoinedMember {
        JoinedMember {
            member_id: self.id.clone(),
            instance_id: self.instance_id.clone(),
            metadata: self.metadata(protocol),
        }
    }

    /// Bytes of its names beside the id.
    pub(super) fn texts_len(&self) -> usize {
        self.instance_id.as_ref().map_or(0, String::len) + self.client_id.len() + self.client_host.len()
    }

    /// What it takes in memory, without its assignment.
    pub(super) fn bytes(&self) -> usize {
        member_bytes(&self.id, self.texts_len(), &self.protocols)
    }

    pub(super) fn metadata_bytes(&self) -> usize {
        metadata_bytes(&self.protocols)
    }
}

/// Bytes that protocols with their subscriptions take.
pub(super) fn metadata_bytes(protocols: &[(String, Bytes)]) -> usize {
    protocols.iter().map(|(name, metadata)| name.len() + metadata.len()).sum()
}

/// What a member with this id and request takes in memory, without an assignment.
pub(super) fn joining_bytes(id: &str, request: &JoinGroup) -> usize {
    member_bytes(id, texts_len(request), &request.protocols)
}

/// Bytes of a member's names beside its id.
pub(super) fn texts_len(request: &JoinGroup) -> usize {
    request.instance_id.as_ref().map_or(0, String::len) + request.client_id.len() + request.client_host.len()
}

/// `texts` are the bytes of its names beside the id, which is also the key and may be the leader's.
fn member_bytes(id: &str, texts: usize, protocols: &[(String, Bytes)]) -> usize {
    let protocol_entries = protocols.len() * (size_of::<(String, Bytes)>() + ENTRY_BYTES);
    size_of::<Member>() + ENTRY_BYTES + 3 * id.len() + texts + protocol_entries + metadata_bytes(protocols)
}

/// Copies, so that what a member brought does not keep its whole request.
fn copied(protocols: &[(String, Bytes)]) -> Vec<(String, Bytes)> {
    protocols.iter().map(|(name, metadata)| (name.clone(), Bytes::copy_from_slice(metadata))).collect()
}
