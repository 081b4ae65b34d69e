//! One member of a group.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Ticket;
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
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocols: Vec<(String, Bytes)>,
    pub(crate) assignment: Bytes,
    /// Its request that waits; while one waits, the session does not run out.
    pub(crate) parked: Option<WaitingRequest>,
    /// When its session ends unless it is heard of.
    pub(crate) expires: Instant,
    /// Whether it has fetched its share of this generation, or is not expected to.
    pub(crate) synced: bool,
}

impl Member {
    pub(super) fn new(id: String, request: JoinGroup, now: Instant) -> Self {
        let mut member = Self {
            id,
            instance_id: request.instance_id.clone(),
            client_id: String::new(),
            client_host: String::new(),
            session_timeout: Duration::ZERO,
            rebalance_timeout: Duration::ZERO,
            protocols: Vec::new(),
            assignment: Bytes::new(),
            parked: None,
            expires: now,
            synced: true,
        };
        member.update(request, now);
        member
    }

    /// Takes over what a later request of the same member says.
    pub(super) fn update(&mut self, request: JoinGroup, now: Instant) {
        self.client_id = request.client_id;
        self.client_host = request.client_host;
        self.session_timeout = request.session_timeout;
        self.rebalance_timeout = request.rebalance_timeout;
        self.protocols = request.protocols;
        self.heard(now);
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

    pub(super) fn metadata_bytes(&self) -> usize {
        metadata_bytes(&self.protocols)
    }
}

/// Bytes that protocols with their subscriptions take.
pub(super) fn metadata_bytes(protocols: &[(String, Bytes)]) -> usize {
    protocols.iter().map(|(name, metadata)| name.len() + metadata.len()).sum()
}
