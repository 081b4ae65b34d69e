//! The target assignment: what each member is to have once all are reconciled.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use factum_types::{TopicId, TopicName};

use super::assignor::{Candidate, Spec};
use super::heartbeat::Draft;
use super::partition_set::PartitionSet;
use super::records::SubscribedTopic;
use super::{ConsumerGroup, MemberMetadata};

/// What the members are to have.
pub(super) struct Targets {
    /// The member that is heard of.
    pub(super) own: PartitionSet,
    /// The others, by id.
    pub(super) others: Vec<(String, PartitionSet)>,
}

impl Targets {
    /// Shares the group's partitions out with the assignor that most members like.
    pub(super) fn compute(draft: &Draft<'_>) -> Self {
        let topics = draft.topics.as_ref().unwrap_or(&draft.group.topics);
        let mut members: Vec<(&str, &MemberMetadata, &PartitionSet)> = draft.other_members().collect();
        members.push((draft.id, &draft.metadata, &draft.target));
        members.sort_unstable_by_key(|(id, ..)| *id);
        let assignor = ConsumerGroup::preferred_assignor(members.iter().map(|(_, metadata, _)| *metadata));
        let mut classes = Classes::new(topics, draft.regexes().collect());
        let candidates = members.iter().map(|(id, metadata, before)| Candidate {
            id,
            instance_id: metadata.instance_id.as_deref(),
            class: classes.class_of(metadata),
            before,
        });
        let candidates = candidates.collect();
        let partitions = topics.iter().map(|(id, topic)| (*id, topic.partitions)).collect();
        let spec = Spec { members: candidates, classes: classes.topics, topics: partitions };
        let shares = assignor.assign(&spec);
        let (mut own, mut others) = (PartitionSet::default(), Vec::new());
        for ((id, ..), share) in members.iter().zip(shares) {
            match *id == draft.id {
                true => own = share,
                false => others.push(((*id).to_owned(), share)),
            }
        }
        Self { own, others }
    }
}

/// The classes of members that read the same topics.
struct Classes<'a> {
    ids: HashMap<&'a TopicName, TopicId>,
    regexes: HashMap<&'a str, &'a [TopicName]>,
    /// By what members say that they read.
    known: HashMap<(&'a [TopicName], Option<&'a str>), usize>,
    by_topics: BTreeMap<Vec<TopicId>, usize>,
    topics: Vec<Vec<TopicId>>,
}

impl<'a> Classes<'a> {
    fn new(topics: &'a BTreeMap<TopicId, SubscribedTopic>, regexes: Vec<(&'a str, &'a [TopicName])>) -> Self {
        Self {
            ids: topics.iter().map(|(id, topic)| (&topic.name, *id)).collect(),
            regexes: regexes.into_iter().collect(),
            known: HashMap::new(),
            by_topics: BTreeMap::new(),
            topics: Vec::new(),
        }
    }

    fn class_of(&mut self, metadata: &'a MemberMetadata) -> usize {
        let subscription = (metadata.topics.as_slice(), metadata.regex.as_deref());
        if let Some(class) = self.known.get(&subscription) {
            return *class;
        }
        let matched =
            subscription.1.and_then(|pattern| self.regexes.get(pattern)).copied().unwrap_or_default();
        let names = subscription.0.iter().chain(matched);
        let topics: BTreeSet<TopicId> = names.filter_map(|name| self.ids.get(name).copied()).collect();
        let topics: Vec<TopicId> = topics.into_iter().collect();
        let class = *self.by_topics.entry(topics.clone()).or_insert_with(|| {
            self.topics.push(topics);
            self.topics.len() - 1
        });
        self.known.insert(subscription, class);
        class
    }
}
