//! Heartbeats of the consumer protocol, from the request to the journal: the shell around [`ConsumerGroup`].
//!
//! Invariant: records are appended and applied under the group's lock, in the order in which they were decided.

use std::sync::Arc;
use std::time::{Duration, Instant};

use factum_types::{GroupId, Offset, Timestamp, TopicName};
use tracing::{debug, warn};

use super::cell::Cell;
use super::consumer_group::records::ConsumerRecord;
use super::consumer_group::{ConsumerGroup, Context, JOIN_EPOCH, MatchedTopics};
use super::group::Group;
use super::memory::client_of;
use super::service::Groups;
use super::{ConsumerHeartbeat, ConsumerHeartbeatResult, Coordinator, CoordinatorError};
use crate::journal::{Change, Journal};
use crate::metrics;

/// How long a member that could not be taken out stays at least.
const EXPIRY_RETRY: Duration = Duration::from_secs(1);

impl Coordinator {
    /// A heartbeat of a member of the consumer protocol; resolves when what it changed is on disk. `may_see` says which of
    /// the topics that a regular expression matches the client may know of.
    ///
    /// # Errors
    /// [`CoordinatorError`].
    pub async fn consumer_heartbeat(
        &self,
        request: ConsumerHeartbeat,
        may_see: impl Fn(&TopicName) -> bool,
    ) -> Result<ConsumerHeartbeatResult, CoordinatorError> {
        let groups = &*self.0;
        let matched = groups.match_pattern(&request).await?;
        let (result, last) = groups.hear(&request, &may_see, matched.as_ref())?;
        groups.journal.durable(last).await?;
        Ok(result)
    }

    /// An id for a member whose client does not choose one.
    pub fn new_member_id(&self) -> String {
        self.0.random.uuid().to_string()
    }

    /// Whether a member may read the offsets of its group: it must be in the epoch that it says, where it says one.
    ///
    /// # Errors
    /// [`CoordinatorError::UnknownMember`], [`CoordinatorError::StaleMemberEpoch`].
    pub fn check_offset_fetch(
        &self,
        group: &GroupId,
        member_id: Option<&str>,
        member_epoch: i32,
    ) -> Result<(), CoordinatorError> {
        let Some(cell) = self.0.cell(group) else { return Ok(()) };
        let inside = cell.lock();
        let Some(consumers) = &inside.consumers else { return Ok(()) };
        match member_id.filter(|id| !id.is_empty()) {
            None if member_epoch < 0 => Ok(()),
            id => consumers.check_epoch(member_epoch, id.unwrap_or_default()),
        }
    }
}

impl Groups {
    /// The topics of the pattern of a member, where that must be matched: beside those that serve, and outside the group's lock.
    async fn match_pattern(
        &self,
        request: &ConsumerHeartbeat,
    ) -> Result<Option<MatchedTopics>, CoordinatorError> {
        let now = self.clock.monotonic();
        let of_member = |inside: &mut Cell| {
            let consumers = inside.consumers.as_ref()?;
            Some(consumers.pattern_to_match(request, &*self.directory, now))
        };
        let known = self.cell(&request.group).and_then(|cell| of_member(&mut cell.lock()));
        let Some(pattern) = known
            .unwrap_or_else(|| ConsumerGroup::default().pattern_to_match(request, &*self.directory, now))
        else {
            return Ok(None);
        };
        let directory = Arc::clone(&self.directory);
        let matching = move || MatchedTopics::of(pattern, &*directory);
        self.patterns.run(client_of(&request.client_host), matching).await.map(Some)
    }

    fn hear(
        &self,
        request: &ConsumerHeartbeat,
        may_see: &dyn Fn(&TopicName) -> bool,
        matched: Option<&MatchedTopics>,
    ) -> Result<(ConsumerHeartbeatResult, Option<Offset>), CoordinatorError> {
        let (now, wall) = (self.clock.monotonic(), self.trusted_time.stamp());
        let work = |inside: &mut Cell| {
            let context = Context {
                directory: &*self.directory,
                may_see,
                matched,
                options: &self.options,
                memory: &self.memory,
                now,
            };
            inside.hear(request, &context, &self.journal, wall)
        };
        if request.member_epoch == JOIN_EPOCH {
            let (client, no_memory) = (client_of(&request.client_host), CoordinatorError::NoMemoryForMember);
            return self.with_new(&request.group, client, no_memory, |_, inside| work(inside))?;
        }
        self.with(&request.group, work).unwrap_or(Err(CoordinatorError::UnknownMember))
    }
}

impl Cell {
    fn hear(
        &mut self,
        request: &ConsumerHeartbeat,
        context: &Context<'_>,
        journal: &Journal,
        wall: Timestamp,
    ) -> Result<(ConsumerHeartbeatResult, Option<Offset>), CoordinatorError> {
        let fresh = match &self.consumers {
            Some(_) => None,
            None if self.group.is_deserted() => Some(ConsumerGroup::after(self.group.generation())),
            None => return Err(CoordinatorError::NotOfConsumers),
        };
        let group = fresh.as_ref().or(self.consumers.as_ref()).ok_or(CoordinatorError::NotOfConsumers)?;
        let decision = group.decide(request, context)?;
        let mut changes: Vec<Change> =
            decision.records.iter().map(|record| record.encode(&self.id)).collect();
        if fresh.is_some() && self.stored.is_some() {
            changes.insert(0, (self.group_key(), None));
        }
        if !changes.is_empty() {
            self.last = Some(journal.append(changes, wall)?.1);
        }
        if fresh.is_some() {
            self.stored = None;
            self.group = Group::new(Arc::clone(&self.memory));
        }
        let mut group = fresh.or(self.consumers.take()).unwrap_or_default();
        let session = context.options.session_timeout;
        let records = decision.records.clone();
        self.apply(&mut group, records, session, context.now, wall);
        let result = group.keep_up(decision, session, context.now);
        self.consumers = Some(group);
        Ok((result, self.last))
    }

    /// Takes out the members of the consumer protocol whose time is up.
    pub(super) fn expire_consumers(
        &mut self,
        session: Duration,
        now: Instant,
        journal: &Journal,
        wall: Timestamp,
    ) {
        let Some(mut group) = self.consumers.take() else { return };
        let records = group.expiry(now);
        if !records.is_empty() {
            let changes: Vec<Change> = records.iter().map(|record| record.encode(&self.id)).collect();
            match journal.append(changes, wall) {
                Ok((_, last)) => {
                    self.last = Some(last);
                    debug!(group = %self.id, "took out members that were silent or kept partitions for too long");
                    let gone =
                        records.iter().filter(|record| matches!(record, ConsumerRecord::Member(_, None)));
                    metrics::observe_expired_consumers(gone.count() as u64);
                    self.apply(&mut group, records, session, now, wall);
                }
                Err(error) => {
                    warn!(group = %self.id, %error, "could not take members out");
                    group.put_off_expiry(now + EXPIRY_RETRY);
                }
            }
        }
        self.consumers = Some(group);
    }

    fn apply(
        &mut self,
        group: &mut ConsumerGroup,
        records: Vec<ConsumerRecord>,
        session: Duration,
        now: Instant,
        wall: Timestamp,
    ) {
        let had_members = !group.is_empty();
        if records.iter().any(|record| matches!(record, ConsumerRecord::Epoch(Some(_)))) {
            metrics::observe_consumer_group_rebalance();
        }
        if records.iter().any(|record| matches!(record, ConsumerRecord::Member(_, None))) {
            group.forget_seen();
        }
        records.into_iter().for_each(|record| group.apply(record, session, now));
        match group.is_empty() {
            true if had_members => self.empty_since = Some(wall),
            true => {}
            false => self.empty_since = None,
        }
    }

    /// Takes over what the journal says of a group of the consumer protocol.
    pub(super) fn restore_consumers(&mut self, record: ConsumerRecord, session: Duration, now: Instant) {
        match record {
            // The group is gone; what is left of it has records of its own.
            ConsumerRecord::Epoch(None) => self.consumers = None,
            record if self.consumers.is_none() && record.is_removal() => {}
            record => {
                if self.consumers.is_none() {
                    self.group = Group::new(Arc::clone(&self.memory));
                    self.stored = None;
                }
                self.consumers.get_or_insert_with(ConsumerGroup::default).apply(record, session, now);
            }
        }
    }

    /// Once all is read back: members count in the memory of all groups, and offsets of a group without members are kept as
    /// if the last had gone now, because the journal does not tell when it went.
    pub(super) fn finish_consumers(&mut self, wall: Timestamp) {
        if let Some(consumers) = &mut self.consumers {
            consumers.drop_fragments();
            consumers.count_memory(&self.memory);
            self.empty_since = consumers.is_empty().then_some(wall);
        }
    }

    /// Makes a consumer group without members one of the classic protocol; gives whether it is one now.
    pub(super) fn become_classic(
        &mut self,
        journal: &Journal,
        wall: Timestamp,
    ) -> Result<bool, CoordinatorError> {
        let Some(consumers) = &self.consumers else { return Ok(true) };
        if !consumers.is_empty() {
            return Ok(false);
        }
        let changes: Vec<Change> = consumers.removal().iter().map(|record| record.encode(&self.id)).collect();
        let generation = consumers.epoch();
        self.last = Some(journal.append(changes, wall)?.1);
        self.consumers = None;
        self.group = Group::after(generation, Arc::clone(&self.memory));
        Ok(true)
    }
}
