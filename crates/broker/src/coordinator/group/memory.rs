//! The memory that one group takes, of what all groups may have.
//!
//! A member's share counts for the address that it comes from, the assignment and the stored form of the group for the
//! address of the leader that sent the assignment.
//!
//! Invariants: memory is taken before anything of the group changes, so that a refusal leaves the group as it was. What is
//! left out of a group gives its share back by being dropped.

use std::collections::HashMap;
use std::mem::size_of;
use std::time::Instant;

use bytes::Bytes;
use factum_base::clients::ClientAddress;

use super::Group;
use super::member::{Member, joining_bytes, texts_len};
use crate::coordinator::memory::{ENTRY_BYTES, MemoryShare, client_of};
use crate::coordinator::{CoordinatorError, JoinGroup};

/// Numbers and lengths of a member in the group's stored form.
const STORED_MEMBER_BYTES: usize = 24;
/// The same of the group, with the version.
const STORED_GROUP_BYTES: usize = 64;

/// The memory of the group as the journal has it.
#[derive(Debug, Default)]
pub(super) struct StoredMemory {
    /// Of what was stored last.
    current: Option<MemoryShare>,
    /// Of what is to be stored.
    next: Option<MemoryShare>,
}

/// An id that was given out (KIP-394) and is not yet used.
#[derive(Debug)]
pub(super) struct PendingId {
    /// When it is forgotten.
    pub(super) lapses: Instant,
    _memory: MemoryShare,
}

impl Group {
    /// Memory for a member that joins, in the place of what member `replaced` had.
    pub(super) fn reserve_member(
        &self,
        id: &str,
        request: &JoinGroup,
        replaced: Option<&str>,
    ) -> Result<MemoryShare, CoordinatorError> {
        let replaced = replaced.and_then(|id| self.members.get(id)).map(|member| &member.memory);
        let client = client_of(&request.client_host);
        let taken = self.memory.replace(Some(client), joining_bytes(id, request), replaced);
        taken.map_err(CoordinatorError::NoMemoryForMember)
    }

    /// An id for a member that is to join with it, until it lapses.
    pub(super) fn reserve_id(
        &self,
        id: &str,
        request: &JoinGroup,
        now: Instant,
    ) -> Result<PendingId, CoordinatorError> {
        let taken = self.memory.take(Some(client_of(&request.client_host)), pending_bytes(id));
        let memory = taken.map_err(CoordinatorError::NoMemoryForMember)?;
        Ok(PendingId { lapses: now + request.session_timeout, _memory: memory })
    }

    /// Memory for an assignment of all members and for the group as it will be stored with it.
    pub(super) fn reserve_assignment(
        &self,
        leader: &str,
        assignment: &HashMap<String, Bytes>,
    ) -> Result<MemoryShare, CoordinatorError> {
        let sizes = self.members.keys().filter_map(|id| assignment.get(id)).map(Bytes::len);
        let bytes = sizes.sum::<usize>();
        let replaced = self.members.values().filter_map(|member| member.assignment_memory.as_ref());
        let client = self.members.get(leader).map(|member| client_of(&member.client_host));
        self.reserve(client, bytes + self.stored_bytes() + bytes, replaced)
    }

    /// Memory for the group as it will be stored once `new` has the place of static member `old`; before it has.
    pub(super) fn reserve_stored(
        &self,
        old: &str,
        new: &str,
        request: &JoinGroup,
    ) -> Result<MemoryShare, CoordinatorError> {
        let offered = request.protocols.iter().find(|(name, _)| Some(name) == self.protocol.as_ref());
        let metadata = offered.map_or(0, |(_, metadata)| metadata.len());
        let added = STORED_MEMBER_BYTES + new.len() + texts_len(request) + metadata;
        let removed = self.members.get(old).map_or(0, |member| self.stored_member_bytes(member));
        let leader = if self.is_leader(old) { [2 * new.len(), 2 * old.len()] } else { [0, 0] };
        let bytes = self.stored_bytes() + self.assigned_bytes() + added + leader[0] - removed - leader[1];
        self.reserve(Some(client_of(&request.client_host)), bytes, [])
    }

    /// The memory of what is to be stored; what is too much of it is given back.
    pub(super) fn set_stored(&mut self, mut memory: MemoryShare) {
        self.stored_memory.next = Some(memory.split(self.stored_bytes() + self.assigned_bytes()));
    }

    /// The same for a group without members: it takes next to nothing, and members can always leave.
    pub(super) fn set_stored_empty(&mut self) {
        let memory = self.memory.take_always(None, self.stored_bytes());
        self.stored_memory.next = Some(memory);
    }

    /// The metadata that the last outcome asked to store was stored.
    pub(crate) fn storing_succeeded(&mut self) {
        if let Some(stored) = self.stored_memory.next.take() {
            self.stored_memory.current = Some(stored);
        }
    }

    /// What was to be stored takes nothing.
    pub(super) fn forget_next_stored(&mut self) {
        self.stored_memory.next = None;
    }

    /// The memory of a group that was read back, whatever the limits.
    pub(super) fn restore_stored(&mut self) {
        let client = self.leader.as_ref().and_then(|id| self.members.get(id));
        let client = client.map(|leader| client_of(&leader.client_host));
        self.stored_memory.current =
            Some(self.memory.take_always(client, self.stored_bytes() + self.assigned_bytes()));
    }

    /// Memory in the place of what the stored form and `replaced` have.
    fn reserve<'a>(
        &'a self,
        client: Option<ClientAddress>,
        bytes: usize,
        replaced: impl IntoIterator<Item = &'a MemoryShare>,
    ) -> Result<MemoryShare, CoordinatorError> {
        let replaced = replaced.into_iter().chain(&self.stored_memory.current);
        self.memory.replace(client, bytes, replaced).map_err(CoordinatorError::NoMemoryForMember)
    }

    /// What the group takes as it is stored, without assignments.
    fn stored_bytes(&self) -> usize {
        let names = [&self.protocol_type, &self.protocol, &self.leader];
        let names: usize = names.into_iter().flatten().map(String::len).sum();
        let members = self.members.values().map(|member| self.stored_member_bytes(member));
        // The names are also in the group itself.
        STORED_GROUP_BYTES + 2 * names + members.sum::<usize>()
    }

    fn stored_member_bytes(&self, member: &Member) -> usize {
        let metadata = member.metadata(self.protocol.as_deref());
        STORED_MEMBER_BYTES + member.id.len() + member.texts_len() + metadata.len()
    }

    fn assigned_bytes(&self) -> usize {
        self.members.values().map(|member| member.assignment.len()).sum()
    }

    /// What the group takes, as recounted: equal to its shares, but for what an older stored form has.
    #[cfg(test)]
    pub(crate) fn recount(&self) -> usize {
        let members = self.members.values().map(|member| member.bytes() + member.assignment.len());
        let pending = self.pending.keys().map(|id| pending_bytes(id));
        members.chain(pending).sum::<usize>() + self.stored_memory_bytes()
    }

    /// What is counted for the stored form.
    #[cfg(test)]
    pub(crate) fn stored_memory_bytes(&self) -> usize {
        self.stored_memory.current.as_ref().map_or(0, MemoryShare::bytes)
    }
}

fn pending_bytes(id: &str) -> usize {
    size_of::<PendingId>() + ENTRY_BYTES + id.len()
}
