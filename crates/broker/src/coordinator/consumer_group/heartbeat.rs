//! Heartbeats: a member joins, says what it reads, gives partitions up, and learns what it has.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use factum_types::{TopicId, TopicName};

use super::departure::removed_member;
use super::directory::TopicDirectory;
use super::member::{ConsumerMember, JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH, member_bytes};
use super::memory::shared_bytes;
use super::reconcile::{Goal, next_assignment};
use super::records::SubscribedTopic;
use super::regex::{MatchedTopics, RegexView};
use super::target::Targets;
use super::{
    Assignor, ConsumerGroup, ConsumerRecord, CurrentAssignment, Decision, MemberMetadata, Memory,
    PartitionSet, Upkeep,
};
use crate::coordinator::group::{MAX_NAME_BYTES, check_size, shorten};
use crate::coordinator::memory::{MemoryShare, client_of};
use crate::coordinator::{ConsumerHeartbeat, ConsumerHeartbeatResult, CoordinatorError, Options};

/// Topics are looked up again this long after the last time at the earliest, so that many that come and go do not make
/// every heartbeat costly.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// What a decision is made from, besides the group and the request.
pub(crate) struct Context<'a> {
    pub(crate) directory: &'a dyn TopicDirectory,
    /// Whether the client may know of a topic that its regular expression matches.
    pub(crate) may_see: &'a dyn Fn(&TopicName) -> bool,
    /// The topics of its pattern, where that had to be matched.
    pub(crate) matched: Option<&'a MatchedTopics>,
    pub(crate) options: &'a Options,
    pub(crate) memory: &'a Memory,
    pub(crate) now: Instant,
}

/// The group as it will be, as far as it changes.
pub(super) struct Draft<'a> {
    pub(super) group: &'a ConsumerGroup,
    /// The member that is heard of, and what it says of itself now.
    pub(super) id: &'a str,
    pub(super) metadata: MemberMetadata,
    /// The static member whose place it takes.
    pub(super) replaced: Option<&'a str>,
    /// What it has, and was to have, before this heartbeat.
    pub(super) current: CurrentAssignment,
    pub(super) target: PartitionSet,
    principal: &'a str,
    is_new: bool,
    joins: bool,
    /// Whether it sees other topics of its regular expression than were assigned by.
    is_view_changed: bool,
    /// What all members see of its regular expression, if that changes.
    resolved: Option<Vec<TopicName>>,
    pub(super) topics: Option<BTreeMap<TopicId, SubscribedTopic>>,
    pub(super) epoch: i32,
    records: Vec<ConsumerRecord>,
    upkeep: Upkeep,
}

impl ConsumerGroup {
    /// What a heartbeat leads to.
    ///
    /// # Errors
    /// [`CoordinatorError`], as Kafka's.
    pub(crate) fn decide(
        &self,
        request: &ConsumerHeartbeat,
        context: &Context<'_>,
    ) -> Result<Decision, CoordinatorError> {
        check_request(request)?;
        if matches!(request.member_epoch, LEAVE_EPOCH | STATIC_LEAVE_EPOCH) {
            return self.decide_leave(request, context);
        }
        let mut draft = self.draft(request, context.options)?;
        let is_changed = draft.describe_member(context)?;
        draft.refresh_topics(is_changed, context)?;
        draft.assign();
        let before = draft.current.assigned.clone();
        draft.reconcile(request.owned.as_ref());
        let is_full = request.member_epoch == JOIN_EPOCH
            || request.rebalance_timeout.is_some()
                && request.subscribed_topics.is_some()
                && request.owned.is_some();
        let Draft { current, records, upkeep, .. } = draft;
        let result = ConsumerHeartbeatResult {
            member_id: request.member_id.clone(),
            member_epoch: current.epoch,
            heartbeat_interval: context.options.heartbeat_interval,
            assignment: (is_full || current.assigned != before).then(|| current.assigned.to_lists()),
        };
        Ok(Decision { records, result, upkeep })
    }

    /// The member that is heard of, new or known.
    fn draft<'a>(
        &'a self,
        request: &'a ConsumerHeartbeat,
        options: &Options,
    ) -> Result<Draft<'a>, CoordinatorError> {
        let joins = request.member_epoch == JOIN_EPOCH;
        let holder = request.instance_id.as_deref().and_then(|instance| self.holder(instance));
        let known = self.members.get_key_value(&request.member_id);
        let (place, replaced) = match (&request.instance_id, holder, known) {
            (Some(instance_id), Some((holder, member)), _) if joins && *holder != request.member_id => {
                if member.current.epoch != STATIC_LEAVE_EPOCH {
                    return Err(CoordinatorError::UnreleasedInstance { instance_id: instance_id.clone() });
                }
                (Some(member), Some(holder.as_str()))
            }
            (Some(instance_id), _, _) if !joins => {
                (Some(self.check_holder(instance_id, &request.member_id)?), None)
            }
            (_, _, Some((_, member))) => (Some(member), None),
            (_, _, None) if joins => (None, None),
            (_, _, None) => return Err(CoordinatorError::UnknownMember),
        };
        let limit = options.max_members;
        if place.is_none() && self.members.len() >= limit {
            return Err(CoordinatorError::GroupFull { limit });
        }
        let metadata = place.and_then(|member| member.metadata.clone());
        let mut current = place.map(|member| member.current.clone()).unwrap_or_default();
        match place {
            Some(member) if !joins => check_epoch(&member.current, request)?,
            // Who joins again has given up everything; who takes another's place takes over what that had.
            _ if replaced.is_none() => current = CurrentAssignment::default(),
            _ => (current.epoch, current.previous_epoch) = (JOIN_EPOCH, JOIN_EPOCH),
        }
        Ok(Draft {
            group: self,
            id: &request.member_id,
            principal: &request.principal,
            is_new: place.is_none(),
            joins,
            is_view_changed: false,
            metadata: updated(metadata.unwrap_or_default(), request),
            replaced,
            current,
            target: place.map(|member| member.target.clone()).unwrap_or_default(),
            resolved: None,
            topics: None,
            epoch: self.epoch,
            records: Vec::new(),
            upkeep: Upkeep::default(),
        })
    }

    /// The member that has this instance id, which must be the one of this id.
    pub(super) fn check_holder(
        &self,
        instance_id: &str,
        member_id: &str,
    ) -> Result<&ConsumerMember, CoordinatorError> {
        let (holder, member) = self.holder(instance_id).ok_or(CoordinatorError::UnknownMember)?;
        match holder == member_id {
            true => Ok(member),
            false => Err(CoordinatorError::FencedInstance { instance_id: instance_id.to_owned() }),
        }
    }
}

impl<'a> Draft<'a> {
    /// Writes down what the member says of itself; gives whether the group needs a new assignment for it.
    fn describe_member(&mut self, context: &Context<'_>) -> Result<bool, CoordinatorError> {
        let before = self.before();
        if let Some(replaced) = self.replaced {
            self.records.extend(removed_member(replaced));
        }
        let is_same = before == Some(&self.metadata);
        let mut memory = None;
        if !is_same || self.replaced.is_some() {
            self.check_sizes(context.options)?;
            memory = Some(self.reserve_member(context)?);
            self.records.push(ConsumerRecord::Member(self.id.to_owned(), Some(self.metadata.clone())));
        }
        if self.replaced.is_some() {
            self.records.push(ConsumerRecord::Target(self.id.to_owned(), Some(self.target.clone())));
            self.records.push(ConsumerRecord::Current(self.id.to_owned(), Some(self.current.clone())));
        }
        self.upkeep.heard = Some((self.id.to_owned(), memory));
        let is_changed_by = |before: &MemberMetadata| {
            before.topics != self.metadata.topics || before.regex != self.metadata.regex
        };
        let is_changed = self.is_new || before.is_none_or(is_changed_by);
        let old_regex = before.and_then(|before| before.regex.clone());
        self.match_regex(context);
        if let Some(old) = old_regex.filter(|old| Some(old) != self.metadata.regex.as_ref())
            && !self.other_members().any(|(_, metadata, _)| metadata.regex.as_ref() == Some(&old))
        {
            self.records.push(ConsumerRecord::Regex(old, None));
        }
        Ok(is_changed)
    }

    /// What the group knew of the member, or of the one whose place it takes.
    fn before(&self) -> Option<&'a MemberMetadata> {
        self.group.members.get(self.replaced.unwrap_or(self.id))?.metadata.as_ref()
    }

    fn check_sizes(&self, options: &Options) -> Result<(), CoordinatorError> {
        let own = self.metadata.subscription_bytes();
        check_size("the subscription of a member", own, options.max_member_metadata)?;
        let others = self.other_members().map(|(_, metadata, _)| metadata.subscription_bytes());
        let all = others.sum::<usize>() + own;
        check_size("the subscriptions of the group's members", all, options.max_group_metadata)
    }

    fn reserve_member(&self, context: &Context<'_>) -> Result<MemoryShare, CoordinatorError> {
        let before = self.group.members.get(self.replaced.unwrap_or(self.id));
        let replaced = before.and_then(|member| member.memory.as_ref());
        let client = Some(client_of(&self.metadata.client_host));
        let taken = context.memory.replace(client, member_bytes(self.id, &self.metadata), replaced);
        taken.map_err(CoordinatorError::NoMemoryForMember)
    }

    /// Takes over the topics of the member's regular expression that it may know of, where they were matched for it.
    fn match_regex(&mut self, context: &Context<'_>) {
        let Some(pattern) = self.metadata.regex.clone() else { return };
        let member = self.group.members.get(self.replaced.unwrap_or(self.id));
        let known = member.and_then(|member| member.view_of(&pattern));
        let is_fresh = |known: &RegexView| !is_outdated(Some(known.seen), context.directory, context.now);
        // Who joins may be another client, with other rights.
        if !self.joins && known.is_some_and(is_fresh) {
            return;
        }
        // Where it became outdated since, the next heartbeat has it matched.
        let Some(matched) = context.matched.filter(|matched| matched.pattern == pattern) else { return };
        let topics: Vec<_> =
            matched.topics.iter().filter(|topic| (context.may_see)(topic)).cloned().collect();
        self.is_view_changed = match known {
            Some(known) => *known.topics != *topics,
            None => self.is_news(&pattern, &topics),
        };
        let topics = self.shared_view(&pattern, &topics).unwrap_or_else(|| topics.into());
        let principal = self.principal.into();
        self.upkeep.view = Some(RegexView {
            pattern: pattern.clone(),
            principal,
            topics: Arc::clone(&topics),
            seen: (matched.version, context.now),
        });
        self.resolve(&pattern, &topics, matched.version);
    }

    /// Whether a member that was not heard of since the start sees other topics than were assigned by.
    fn is_news(&self, pattern: &str, topics: &[TopicName]) -> bool {
        let assumed = self.group.assumed_view(pattern, &self.target);
        if self.group.is_assigned {
            return assumed != topics;
        }
        let known = self.group.regexes.get(pattern).map(|known| known.topics.as_slice()).unwrap_or_default();
        assumed.iter().any(|topic| topics.binary_search(topic).is_err())
            || topics.iter().any(|topic| known.binary_search(topic).is_err())
    }

    /// Writes down what all members with the pattern see, if that changes. The version that the topics are of, as Kafka stores
    /// it, is for humans: a restart asks again.
    fn resolve(&mut self, pattern: &str, own: &[TopicName], version: u64) {
        let known = self.group.regexes.get(pattern);
        let mut all: BTreeSet<&TopicName> = own.iter().collect();
        let mut lists = HashSet::new();
        for (id, metadata, _) in self.other_members() {
            if metadata.regex.as_deref() == Some(pattern) {
                match self.view(id) {
                    Some(view) if lists.insert(view.as_ptr()) => all.extend(&**view),
                    Some(_) => {}
                    None => all.extend(known.into_iter().flat_map(|known| &known.topics)),
                }
            }
        }
        if known.is_none_or(|known| !known.topics.iter().eq(all.iter().copied())) {
            let topics: Vec<_> = all.into_iter().cloned().collect();
            let version = i64::try_from(version).unwrap_or(i64::MAX);
            self.records.push(ConsumerRecord::Regex(pattern.to_owned(), Some((topics.clone(), version))));
            self.resolved = Some(topics);
        }
    }

    /// The list of another member that sees the same topics of the pattern.
    fn shared_view(&self, pattern: &str, topics: &[TopicName]) -> Option<Arc<[TopicName]>> {
        let mut lists = HashSet::new();
        let members = self.group.members.values();
        let views = members.filter_map(|member| member.view_of(pattern));
        let mut views = views.filter(|view| lists.insert(view.topics.as_ptr()));
        views.find(|view| *view.topics == *topics).map(|view| Arc::clone(&view.topics))
    }

    /// What the member that is heard of sees of its regular expression; none if that was not matched since the start.
    pub(super) fn own_view(&self) -> Option<&Arc<[TopicName]>> {
        let pattern = self.metadata.regex.as_deref()?;
        let known = self.group.members.get(self.id).and_then(|member| member.view_of(pattern));
        self.upkeep.view.as_ref().or(known).map(|view| &view.topics)
    }

    /// What a member sees of its regular expression.
    pub(super) fn view(&self, id: &str) -> Option<&Arc<[TopicName]>> {
        if id == self.id {
            return self.own_view();
        }
        let member = self.group.members.get(id)?;
        let known = member.view_of(member.metadata.as_ref()?.regex.as_deref()?)?;
        let changed = self.upkeep.view.as_ref().filter(|changed| changed.is_of(known));
        Some(&changed.unwrap_or(known).topics)
    }

    /// What the members see of their regular expressions.
    fn views(&self) -> impl Iterator<Item = &Arc<[TopicName]>> {
        let others = self.other_members().filter_map(|(id, ..)| self.view(id));
        others.chain(self.own_view())
    }

    /// Looks the group's topics up if they may have changed, and raises the group epoch if they have.
    fn refresh_topics(&mut self, is_changed: bool, context: &Context<'_>) -> Result<(), CoordinatorError> {
        let is_outdated = is_outdated(self.group.seen, context.directory, context.now);
        if !is_changed && self.resolved.is_none() && !self.is_view_changed && !is_outdated {
            return Ok(());
        }
        self.upkeep.seen = Some((context.directory.version(), context.now));
        let topics = self.look_up(context.directory);
        let has_other_topics = topics != self.group.topics;
        if has_other_topics {
            self.records.push(ConsumerRecord::Topics(Some(topics.clone())));
        }
        let bytes = shared_bytes(&topics, self.regexes(), self.views());
        let share = self.group.shared_memory.reserve(context.memory, &self.metadata.client_host, bytes)?;
        self.upkeep.shared_memory = Some(share);
        if has_other_topics || is_changed || self.is_view_changed {
            self.epoch = self.group.epoch.saturating_add(1);
            self.records.push(ConsumerRecord::Epoch(Some(self.epoch)));
        }
        self.topics = Some(topics);
        Ok(())
    }

    /// Every topic that a member reads and that there is.
    fn look_up(&self, directory: &dyn TopicDirectory) -> BTreeMap<TopicId, SubscribedTopic> {
        let others = self.other_members().map(|(_, metadata, _)| metadata);
        let named = others.chain([&self.metadata]).flat_map(|metadata| &metadata.topics);
        let matched = self.regexes().flat_map(|(_, topics)| topics);
        let mut names: Vec<&TopicName> = named.chain(matched).collect();
        names.sort_unstable();
        names.dedup();
        let topic = |name: &TopicName| {
            let (id, partitions) = directory.topic(name)?;
            Some((id, SubscribedTopic { name: name.clone(), partitions }))
        };
        names.into_iter().filter_map(topic).collect()
    }

    /// The regular expressions of the group with the topics that they match.
    pub(super) fn regexes(&self) -> impl Iterator<Item = (&str, &[TopicName])> {
        let own = self.resolved.as_deref().zip(self.metadata.regex.as_deref());
        let own = own.map(|(topics, pattern)| (pattern, topics));
        let used = self.other_members().filter_map(|(_, metadata, _)| metadata.regex.as_deref());
        let used: HashSet<&str> = used.chain(self.metadata.regex.as_deref()).collect();
        let is_other =
            move |pattern: &str| own.is_none_or(|(own, _)| own != pattern) && used.contains(pattern);
        let others = self.group.regexes.iter().filter(move |(pattern, _)| is_other(pattern));
        others.map(|(pattern, regex)| (pattern.as_str(), regex.topics.as_slice())).chain(own)
    }

    /// The members that are not heard of now, each with its target.
    pub(super) fn other_members(
        &self,
    ) -> impl Iterator<Item = (&'a str, &'a MemberMetadata, &'a PartitionSet)> {
        let (id, replaced) = (self.id, self.replaced);
        let others = self
            .group
            .members
            .iter()
            .filter(move |(other, _)| other.as_str() != id && Some(other.as_str()) != replaced);
        others.filter_map(|(id, member)| Some((id.as_str(), member.metadata.as_ref()?, &member.target)))
    }

    /// Makes a new target assignment if the group has moved on since the last.
    fn assign(&mut self) {
        if self.epoch <= self.group.assignment_epoch {
            return;
        }
        let Targets { own, others } = Targets::compute(self);
        let changed = others
            .into_iter()
            .filter(|(id, target)| self.group.members.get(id).is_none_or(|member| member.target != *target));
        self.records.extend(changed.map(|(id, target)| ConsumerRecord::Target(id, Some(target))));
        if own != self.target || self.is_new {
            self.records.push(ConsumerRecord::Target(self.id.to_owned(), Some(own.clone())));
        }
        self.target = own;
        self.upkeep.is_assigned = true;
        self.records.push(ConsumerRecord::AssignmentEpoch(Some(self.epoch)));
    }

    /// Brings the member nearer to its target.
    fn reconcile(&mut self, owned: Option<&PartitionSet>) {
        let epoch = self.epoch.max(self.group.assignment_epoch);
        let group = self.group;
        let (id, replaced) = (self.id, self.replaced);
        let taken = move || {
            let others = group
                .members
                .iter()
                .filter(|(other, _)| other.as_str() != id && Some(other.as_str()) != replaced);
            let current = others.map(|(_, member)| &member.current);
            current.flat_map(|current| current.assigned.iter().chain(current.revoking.iter())).collect()
        };
        let goal = Goal { epoch, target: &self.target, owned, taken: &taken };
        let next = next_assignment(&self.current, &goal);
        let stored = self.group.members.get(self.id).map(|member| &member.current);
        if stored.is_none_or(|stored| *stored != next) {
            self.records.push(ConsumerRecord::Current(self.id.to_owned(), Some(next.clone())));
        }
        self.current = next;
    }
}

/// Whether topics of this version may not be those that there are.
pub(super) fn is_outdated(
    seen: Option<(u64, Instant)>,
    directory: &dyn TopicDirectory,
    now: Instant,
) -> bool {
    seen.is_none_or(|(version, at)| version != directory.version() && at + REFRESH_INTERVAL <= now)
}

/// A request that must be refused whatever the group is.
fn check_request(request: &ConsumerHeartbeat) -> Result<(), CoordinatorError> {
    let invalid = |reason| Err(CoordinatorError::InvalidHeartbeat { reason });
    let named = [("an instance id", &request.instance_id), ("a rack id", &request.rack_id)];
    let named = named.into_iter().filter_map(|(what, name)| Some((what, name.as_ref()?)));
    for (what, name) in named.chain([("a member id", &request.member_id)]) {
        if name.is_empty() {
            return invalid("a name must not be empty");
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(CoordinatorError::TooLarge { what, bytes: name.len(), limit: MAX_NAME_BYTES });
        }
    }
    if let Some(assignor) = &request.assignor
        && Assignor::from_name(assignor).is_none()
    {
        let supported = Assignor::ALL.map(Assignor::name).join(", ");
        return Err(CoordinatorError::UnsupportedAssignor { supported });
    }
    match request.member_epoch {
        ..STATIC_LEAVE_EPOCH => invalid("the member epoch is below -2"),
        STATIC_LEAVE_EPOCH if request.instance_id.is_none() => {
            invalid("only a static member, which has an instance id, can leave for a while")
        }
        JOIN_EPOCH if request.rebalance_timeout.is_none() => {
            invalid("a member that joins must say its rebalance timeout")
        }
        JOIN_EPOCH if request.owned.as_ref().is_none_or(|owned| !owned.is_empty()) => {
            invalid("a member that joins must have given up all partitions")
        }
        JOIN_EPOCH if request.subscribed_topics.is_none() && request.subscribed_regex.is_none() => {
            invalid("a member that joins must say which topics it reads")
        }
        _ => Ok(()),
    }
}

/// A member must be in its epoch, or in the one before if the answer that told of the next may have been lost.
fn check_epoch(current: &CurrentAssignment, request: &ConsumerHeartbeat) -> Result<(), CoordinatorError> {
    let asked = request.member_epoch;
    let owns_no_more = || {
        let owned = request.owned.as_ref();
        owned
            .is_some_and(|owned| owned.iter().all(|(topic, number)| current.assigned.contains(topic, number)))
    };
    if asked == current.epoch || asked == current.previous_epoch && asked < current.epoch && owns_no_more() {
        return Ok(());
    }
    Err(CoordinatorError::FencedMemberEpoch { asked, current: current.epoch })
}

/// What the member said before, with what it says now.
fn updated(mut metadata: MemberMetadata, request: &ConsumerHeartbeat) -> MemberMetadata {
    let keep = |old: &mut Option<String>, new: &Option<String>| {
        if new.is_some() {
            old.clone_from(new);
        }
    };
    keep(&mut metadata.instance_id, &request.instance_id);
    keep(&mut metadata.rack_id, &request.rack_id);
    keep(&mut metadata.assignor, &request.assignor);
    keep(&mut metadata.regex, &request.subscribed_regex);
    metadata.regex = metadata.regex.filter(|regex| !regex.is_empty());
    if let Some(topics) = &request.subscribed_topics {
        metadata.topics.clone_from(topics);
        metadata.topics.sort_unstable();
        metadata.topics.dedup();
    }
    metadata.rebalance_timeout = request.rebalance_timeout.unwrap_or(metadata.rebalance_timeout);
    metadata.client_id.clone_from(&request.client_id);
    metadata.client_host.clone_from(&request.client_host);
    shorten(&mut metadata.client_id);
    shorten(&mut metadata.client_host);
    metadata
}
