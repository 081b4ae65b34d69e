//! Joining: from the first request to the moment at which the next generation has its members.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use factum_types::ByteSize;
use uuid::Uuid;

use super::member::metadata_bytes;
use super::{
    CoordinatorError, Grace, Group, JoinResult, Member, Options, Reply, State, Ticket, WaitingRequest,
};
use crate::coordinator::JoinGroup;
use crate::coordinator::memory::MemoryShare;

/// The longest text of a client that is kept or made part of a member id.
pub(crate) const MAX_NAME_BYTES: usize = 255;
/// Most protocols that one member may offer: clients know a handful.
const MAX_PROTOCOLS: usize = 32;
/// A rebalance waits at least this long, whatever its members ask, so that time always moves on between two.
const LEAST_PATIENCE: Duration = Duration::from_millis(100);

impl Group {
    /// A member joins, or joins again. The answer comes under `ticket`; `uuid` is for the id of a new member.
    pub(crate) fn join(
        &mut self,
        request: JoinGroup,
        ticket: Ticket,
        uuid: Uuid,
        options: &Options,
        now: Instant,
    ) {
        if let Err(error) = self.try_join(request, ticket, uuid, options, now) {
            self.outcome.replies.push(Reply::Join(ticket, Err(error)));
        }
    }

    fn try_join(
        &mut self,
        mut request: JoinGroup,
        ticket: Ticket,
        uuid: Uuid,
        options: &Options,
        now: Instant,
    ) -> Result<(), CoordinatorError> {
        check_request(&mut request, options)?;
        self.check_protocols(&request)?;
        self.check_metadata(&request, options)?;
        if !request.member_id.is_empty() {
            if request.instance_id.is_none() && self.pending.contains_key(&request.member_id) {
                let id = request.member_id.clone();
                return self.add(id, request, WaitingRequest::Join { ticket, knows_id: true }, options, now);
            }
            return self.rejoin(request, ticket, options, now);
        }
        let Some(instance) = request.instance_id.clone() else {
            self.check_room(options)?;
            let id = format!("{}-{uuid}", request.client_id);
            if request.requires_known_member_id {
                let pending = self.reserve_id(&id, &request, now)?;
                self.pending.insert(id.clone(), pending);
                return Err(CoordinatorError::MemberIdRequired { member_id: id });
            }
            return self.add(id, request, WaitingRequest::Join { ticket, knows_id: false }, options, now);
        };
        let id = format!("{instance}-{uuid}");
        match self.holder(&instance).map(|holder| holder.id.clone()) {
            Some(old) => self.replace(&old, &id, request, ticket, options, now),
            None => {
                self.check_room(options)?;
                self.add(id, request, WaitingRequest::Join { ticket, knows_id: false }, options, now)
            }
        }
    }

    fn check_room(&self, options: &Options) -> Result<(), CoordinatorError> {
        let limit = options.max_members;
        if self.members.len() + self.pending.len() >= limit {
            return Err(CoordinatorError::GroupFull { limit });
        }
        Ok(())
    }

    /// The member must share the others' protocol type and at least one protocol with all of them.
    fn check_protocols(&self, request: &JoinGroup) -> Result<(), CoordinatorError> {
        let mut others = self.members.values().filter(|member| !is_same(member, request)).peekable();
        let named = !request.protocol_type.is_empty() && !request.protocols.is_empty();
        if others.peek().is_none() {
            return named.then_some(()).ok_or(CoordinatorError::InconsistentProtocol);
        }
        let mut shared: BTreeSet<&str> = request.protocols.iter().map(|(name, _)| name.as_str()).collect();
        for other in others {
            shared = other.protocol_names().filter(|name| shared.contains(name)).collect();
        }
        let same_type = self.protocol_type.as_ref() == Some(&request.protocol_type);
        (named && same_type && !shared.is_empty()).then_some(()).ok_or(CoordinatorError::InconsistentProtocol)
    }

    fn check_metadata(&self, request: &JoinGroup, options: &Options) -> Result<(), CoordinatorError> {
        let others = self.members.values().filter(|member| !is_same(member, request));
        let own = metadata_bytes(&request.protocols);
        check_size("the subscription of a member", own, options.max_member_metadata)?;
        let bytes = others.map(Member::metadata_bytes).sum::<usize>() + own;
        check_size("the subscriptions of the group's members", bytes, options.max_group_metadata)
    }

    fn rejoin(
        &mut self,
        request: JoinGroup,
        ticket: Ticket,
        options: &Options,
        now: Instant,
    ) -> Result<(), CoordinatorError> {
        self.check_member(&request.member_id, request.instance_id.as_deref())?;
        let member = self.members.get(&request.member_id).ok_or(CoordinatorError::UnknownMember)?;
        let unchanged = member.protocols == request.protocols;
        let keeps_generation = match self.state {
            State::CompletingRebalance => unchanged,
            // A leader that joins again wants to assign again: it has seen topics change.
            State::Stable => unchanged && !self.is_leader(&request.member_id),
            _ => false,
        };
        let id = request.member_id.clone();
        if keeps_generation {
            self.heard(&id, now);
            self.supersede(&id, now);
            self.outcome.replies.push(Reply::Join(ticket, Ok(self.joined(&id))));
            return Ok(());
        }
        let memory = self.reserve_member(&id, &request, Some(&id))?;
        self.update(&id, request, memory, ticket, now);
        self.prepare_rebalance(options.initial_rebalance_delay, now);
        self.complete_join_if_all_came(now);
        Ok(())
    }

    /// A new member, in the place of its pending id if it has one.
    fn add(
        &mut self,
        id: String,
        request: JoinGroup,
        parked: WaitingRequest,
        options: &Options,
        now: Instant,
    ) -> Result<(), CoordinatorError> {
        let memory = self.reserve_member(&id, &request, None)?;
        self.pending.remove(&id);
        if self.members.is_empty() {
            self.protocol_type = Some(request.protocol_type.clone());
        }
        let member = Member::new(id.clone(), request, memory, parked, now);
        self.leader.get_or_insert_with(|| id.clone());
        self.members.insert(id, member);
        if let State::PreparingRebalance { grace: Some(grace), .. } = &mut self.state {
            grace.someone_came = true;
        }
        self.prepare_rebalance(options.initial_rebalance_delay, now);
        self.complete_join_if_all_came(now);
        Ok(())
    }

    /// A new process takes the place of static member `old`. No one else notices, as long as the group would
    /// still choose the protocol that it has.
    fn replace(
        &mut self,
        old: &str,
        new: &str,
        request: JoinGroup,
        ticket: Ticket,
        options: &Options,
        now: Instant,
    ) -> Result<(), CoordinatorError> {
        let memory = self.reserve_member(new, &request, Some(old))?;
        let stored = match self.state {
            State::Stable => Some(self.reserve_stored(old, new, &request)?),
            _ => None,
        };
        let Some(mut member) = self.members.remove(old) else { return Ok(()) };
        if let Some(parked) = member.parked.take() {
            let instance_id = member.instance_id.clone().unwrap_or_default();
            self.refuse(parked, CoordinatorError::FencedInstance { instance_id });
        }
        new.clone_into(&mut member.id);
        self.members.insert(new.to_owned(), member);
        let led = self.is_leader(old);
        if led {
            self.leader = Some(new.to_owned());
        }
        let skips = request.supports_skipping_assignment;
        self.update(new, request, memory, ticket, now);
        if let Some(stored) = stored
            && self.protocol == self.select_protocol()
        {
            if let Some(member) = self.members.get_mut(new) {
                member.parked = None;
            }
            let mut joined = self.joined(new);
            joined.skip_assignment = led && skips;
            if led && !skips {
                // An older client that finds itself leader would assign; under its old id it will not.
                joined.members.clear();
                old.clone_into(&mut joined.leader);
            }
            self.set_stored(stored);
            self.outcome.store = true;
            self.outcome.replies.push(Reply::Join(ticket, Ok(joined)));
            return Ok(());
        }
        self.prepare_rebalance(options.initial_rebalance_delay, now);
        self.complete_join_if_all_came(now);
        Ok(())
    }

    /// Takes over the request of a member that is there, and parks it.
    fn update(&mut self, id: &str, request: JoinGroup, memory: MemoryShare, ticket: Ticket, now: Instant) {
        self.supersede(id, now);
        if self.members.len() == 1 {
            self.protocol_type = Some(request.protocol_type.clone());
        }
        if let Some(member) = self.members.get_mut(id) {
            member.update(request, memory, now);
            member.parked = Some(WaitingRequest::Join { ticket, knows_id: true });
        }
    }

    /// Lets go of a request that waits: its client has to join again, or has already sent another.
    pub(super) fn supersede(&mut self, id: &str, now: Instant) {
        let Some(member) = self.members.get_mut(id) else { return };
        if let Some(parked) = member.parked.take() {
            // While it waited, its session stood still.
            member.heard(now);
            self.refuse(parked, CoordinatorError::RebalanceInProgress);
        }
    }

    /// Begins a rebalance without more than the members that there are.
    pub(super) fn rebalance(&mut self, now: Instant) {
        self.prepare_rebalance(Duration::ZERO, now);
        self.complete_join_if_all_came(now);
    }

    fn prepare_rebalance(&mut self, initial_delay: Duration, now: Instant) {
        match self.state {
            State::PreparingRebalance { .. } | State::Dead => return,
            State::CompletingRebalance => self.take_back_shares(now),
            State::Empty | State::Stable => {}
        }
        self.sync_deadline = None;
        let patience = self.patience();
        let grace = (self.state == State::Empty && !initial_delay.is_zero()).then(|| Grace {
            step: initial_delay,
            remaining: patience.saturating_sub(initial_delay),
            someone_came: false,
        });
        let wait = if grace.is_some() { initial_delay } else { patience };
        self.state = State::PreparingRebalance { deadline: now + wait, grace };
    }

    /// No one's share of the generation that never came about counts.
    fn take_back_shares(&mut self, now: Instant) {
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            if self.members.get(&id).is_some_and(|member| !member.awaits_join()) {
                self.supersede(&id, now);
            }
            if let Some(member) = self.members.get_mut(&id) {
                member.unassign();
            }
        }
    }

    /// How long a rebalance waits: as long as its most patient member asks.
    pub(super) fn patience(&self) -> Duration {
        let asked = self.members.values().map(|member| member.rebalance_timeout).max();
        asked.unwrap_or_default().max(LEAST_PATIENCE)
    }

    pub(super) fn complete_join_if_all_came(&mut self, now: Instant) {
        let all_came = self.pending.is_empty() && self.members.values().all(Member::awaits_join);
        let waits_for_more = self.members.values().next().is_some();
        match self.state {
            State::PreparingRebalance { grace: Some(_), .. } if waits_for_more => {}
            State::PreparingRebalance { .. } if all_came => self.complete_join(now),
            _ => {}
        }
    }

    pub(super) fn join_time_is_up(&mut self, grace: Option<Grace>, now: Instant) {
        match grace {
            Some(Grace { step, remaining, someone_came: true }) if !remaining.is_zero() => {
                let more = step.min(remaining);
                let grace = Some(Grace { step, remaining: remaining - more, someone_came: false });
                self.state = State::PreparingRebalance { deadline: now + more, grace };
            }
            _ => self.complete_join(now),
        }
    }

    /// Begins the next generation with the members that came; static members that did not come keep their place.
    fn complete_join(&mut self, now: Instant) {
        self.members.retain(|_, member| member.awaits_join() || member.is_static());
        if !self.elect_leader() && !self.members.is_empty() {
            self.state = State::PreparingRebalance { deadline: now + self.patience(), grace: None };
            return;
        }
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        if self.members.is_empty() {
            (self.protocol, self.leader, self.state) = (None, None, State::Empty);
            self.set_stored_empty();
            self.outcome.store = true;
            return;
        }
        self.protocol = self.select_protocol();
        self.state = State::CompletingRebalance;
        self.sync_deadline = Some(now + self.patience());
        for id in self.members.keys().cloned().collect::<Vec<_>>() {
            self.answer_join(&id, now);
        }
    }

    fn answer_join(&mut self, id: &str, now: Instant) {
        let joined = self.joined(id);
        let Some(member) = self.members.get_mut(id) else { return };
        member.synced = !member.awaits_join();
        if let Some(WaitingRequest::Join { ticket, .. }) = member.parked.take() {
            member.heard(now);
            self.outcome.replies.push(Reply::Join(ticket, Ok(joined)));
        }
    }

    /// Keeps the leader if it came, else takes the first that did; false if no one came.
    fn elect_leader(&mut self) -> bool {
        let leads = |id: &String| self.members.get(id).is_some_and(Member::awaits_join);
        if self.leader.as_ref().is_some_and(leads) {
            return true;
        }
        let first = self.members.values().find(|member| member.awaits_join()).map(|member| member.id.clone());
        let found = first.is_some();
        self.leader = first.or_else(|| self.leader.take());
        found
    }

    /// The protocol that all members know and most of them like best.
    fn select_protocol(&self) -> Option<String> {
        let mut members = self.members.values();
        let first = members.next()?;
        let mut shared: BTreeSet<&str> = first.protocol_names().collect();
        for member in members {
            shared = member.protocol_names().filter(|name| shared.contains(name)).collect();
        }
        let mut votes: BTreeMap<&str, usize> = shared.iter().map(|name| (*name, 0)).collect();
        for member in self.members.values() {
            let favourite = member.protocol_names().find(|name| shared.contains(name));
            if let Some(count) = favourite.and_then(|name| votes.get_mut(name)) {
                *count += 1;
            }
        }
        votes
            .into_iter()
            .max_by_key(|(name, count)| (*count, Reverse(*name)))
            .map(|(name, _)| name.to_owned())
    }

    /// What member `id` learns of the generation; the leader learns of everybody.
    fn joined(&self, id: &str) -> JoinResult {
        let protocol = self.protocol.as_deref();
        let leads = self.is_leader(id);
        let members = self.members.values().filter(|_| leads).map(|member| member.joined(protocol)).collect();
        JoinResult {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: id.to_owned(),
            members,
            skip_assignment: false,
        }
    }
}

/// Whether `request` comes from `member` or from its successor.
fn is_same(member: &Member, request: &JoinGroup) -> bool {
    member.id == request.member_id || (member.is_static() && member.instance_id == request.instance_id)
}

/// Bounds what is kept of a request, from any client.
fn check_request(request: &mut JoinGroup, options: &Options) -> Result<(), CoordinatorError> {
    let (least, most) = (options.min_session_timeout, options.max_session_timeout);
    let asked = request.session_timeout;
    if asked < least || asked > most {
        return Err(CoordinatorError::InvalidSessionTimeout { asked, least, most });
    }
    let (count, limit) = (request.protocols.len(), MAX_PROTOCOLS);
    if count > limit {
        return Err(CoordinatorError::TooMany { what: "protocols of one member", count, limit });
    }
    let names = request.protocols.iter().map(|(name, _)| ("a protocol's name", name));
    let names = names.chain(request.instance_id.iter().map(|name| ("an instance id", name)));
    for (what, name) in names.chain([("a protocol type", &request.protocol_type)]) {
        if name.len() > MAX_NAME_BYTES {
            return Err(CoordinatorError::TooLarge { what, bytes: name.len(), limit: MAX_NAME_BYTES });
        }
    }
    shorten(&mut request.client_id);
    shorten(&mut request.client_host);
    Ok(())
}

pub(crate) fn shorten(text: &mut String) {
    let end = (0..=MAX_NAME_BYTES.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or(0));
    text.shrink_to_fit();
}

pub(crate) fn check_size(what: &'static str, bytes: usize, limit: ByteSize) -> Result<(), CoordinatorError> {
    let limit = usize::try_from(limit.0).unwrap_or(usize::MAX);
    if bytes > limit {
        return Err(CoordinatorError::TooLarge { what, bytes, limit });
    }
    Ok(())
}
