//! Joining, syncing, living and leaving: the requests of members.

use std::sync::Arc;

use factum_types::GroupId;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::cell::{Answer, Cell, Waiting};
use super::group::Ticket;
use super::memory::client_of;
use super::service::Groups;
use super::{Coordinator, CoordinatorError, JoinGroup, JoinResult, Leaving, SyncGroup, SyncResult};

impl Coordinator {
    /// Joins a group, or joins it again; resolves when the next generation has its members.
    ///
    /// Dropping the future gives the place up: a member that knows its id has its session's length to come back.
    ///
    /// # Errors
    /// [`CoordinatorError`].
    pub async fn join(&self, request: JoinGroup) -> Result<JoinResult, CoordinatorError> {
        let groups = &*self.0;
        if !request.member_id.is_empty() && groups.cell(&request.group).is_none() {
            return Err(CoordinatorError::UnknownMember);
        }
        let (ticket, now) = (groups.ticket(), groups.clock.monotonic());
        let group = request.group.clone();
        let (sender, receiver) = oneshot::channel();
        let (client, no_memory) = (client_of(&request.client_host), CoordinatorError::NoMemoryForMember);
        let wall = groups.trusted_time.stamp();
        let cell = groups.with_new(&group, client, no_memory, |cell, inside| {
            // Members of the consumer protocol go by it: only a group without members changes its protocol.
            if !inside.become_classic(&groups.journal, wall)? {
                return Err(CoordinatorError::InconsistentProtocol);
            }
            inside.waiting.insert(ticket, Waiting::Join(sender));
            inside.group.join(request, ticket, groups.random.uuid(), &groups.options, now);
            Ok(Arc::clone(cell))
        })??;
        groups.answer(cell, ticket, receiver).await
    }

    /// Asks for the member's share; resolves when the leader has given it and it is on disk.
    ///
    /// Dropping the future gives nothing up: the member may ask again.
    ///
    /// # Errors
    /// [`CoordinatorError`].
    pub async fn sync(&self, request: SyncGroup) -> Result<SyncResult, CoordinatorError> {
        let groups = &*self.0;
        let (ticket, now) = (groups.ticket(), groups.clock.monotonic());
        let cell = groups.cell(&request.group).ok_or(CoordinatorError::UnknownMember)?;
        let (sender, receiver) = oneshot::channel();
        let parked = groups.work_on(&cell, |inside| {
            inside.waiting.insert(ticket, Waiting::Sync(sender));
            inside.group.sync(request, ticket, &groups.options, now);
        });
        parked.ok_or(CoordinatorError::UnknownMember)?;
        groups.answer(cell, ticket, receiver).await
    }

    /// Says that a member lives.
    ///
    /// # Errors
    /// [`CoordinatorError::RebalanceInProgress`] asks the member to join again.
    pub fn heartbeat(
        &self,
        group: &GroupId,
        generation: i32,
        member_id: &str,
        instance_id: Option<&str>,
    ) -> Result<(), CoordinatorError> {
        let cell = self.0.cell(group).ok_or(CoordinatorError::UnknownMember)?;
        // A heartbeat only moves a deadline later, so nothing has to be settled after it.
        cell.lock().group.heartbeat(generation, member_id, instance_id, self.0.clock.monotonic())
    }

    /// Takes members out at once, each with a result of its own, in their order.
    ///
    /// # Errors
    /// [`CoordinatorError::TooMany`] if more are named than a group may have; [`CoordinatorError::Storage`] if the
    /// change could not be stored; the members are out all the same.
    pub async fn leave(
        &self,
        group: &GroupId,
        leaving: Vec<Leaving>,
    ) -> Result<Vec<Result<(), CoordinatorError>>, CoordinatorError> {
        let (count, limit) = (leaving.len(), self.0.options.max_members);
        if count > limit {
            return Err(CoordinatorError::TooMany { what: "members that leave at once", count, limit });
        }
        let now = self.0.clock.monotonic();
        let cell = self.0.cell(group);
        let left = cell
            .as_ref()
            .and_then(|cell| self.0.work_on(cell, |inside: &mut Cell| inside.group.leave(&leaving, now)));
        let Some(left) = left else {
            return Ok(leaving.iter().map(|_| Err(CoordinatorError::UnknownMember)).collect());
        };
        let last = cell.and_then(|cell| cell.lock().last);
        self.0.journal.durable(last).await?;
        Ok(left)
    }
}

impl Groups {
    /// Waits for the answer under `ticket`, and for the disk.
    async fn answer<T>(
        &self,
        cell: Arc<Mutex<Cell>>,
        ticket: Ticket,
        receiver: oneshot::Receiver<Answer<T>>,
    ) -> Result<T, CoordinatorError> {
        let parked = ParkedRequest { groups: self, cell, ticket };
        // A group that dies answers first, so an answer that does not come is a broken promise of `Cell::settle`.
        let answer = receiver.await.expect("a parked request is answered");
        drop(parked);
        self.journal.durable(answer.after).await?;
        answer.result
    }
}

/// A request that waits. Its caller may go away at any time: then the group learns of it here.
struct ParkedRequest<'a> {
    groups: &'a Groups,
    cell: Arc<Mutex<Cell>>,
    ticket: Ticket,
}

impl Drop for ParkedRequest<'_> {
    fn drop(&mut self) {
        if !self.cell.lock().waiting.contains_key(&self.ticket) {
            return;
        }
        let now = self.groups.clock.monotonic();
        self.groups.work_on(&self.cell, |inside| {
            if inside.waiting.remove(&self.ticket).is_some() {
                inside.group.abandon(self.ticket, now);
            }
        });
    }
}
