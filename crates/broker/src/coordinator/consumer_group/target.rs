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
        let mut classes = Classes::new(topics);
        let candidates = members.iter().map(|(id, metadata, before)| Candidate {
            id,
            instance_id: metadata.instance_id.as_deref(),
            class: match (metadata.regex.as_deref(), draft.view(id)) {
                (None, _) => classes.class_of(&metadata.topics, &[]),
                (Some(_), Some(view)) => classes.class_of(&metadata.topics, view),
                (Some(pattern), None) => {
                    let assumed = draft.group.assumed_view(pattern, before);
                    classes.class_of_names(metadata.topics.iter().chain(&assumed))
                }
            },
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
    /// By what members name, and the list of what they see of their regular expression.
    known: HashMap<(&'a [TopicName], *const TopicName), usize>,
    by_topics: BTreeMap<Vec<TopicId>, usize>,
    topics: Vec<Vec<TopicId>>,
}

impl<'a> Classes<'a> {
    fn new(topics: &'a BTreeMap<TopicId, SubscribedTopic>) -> Self {
        Self {
            ids: topics.iter().map(|(id, topic)| (&topic.name, *id)).collect(),
            known: HashMap::new(),
            by_topics: BTreeMap::new(),
            topics: Vec::new(),
        }
    }

    /// Of members that name these topics and see `matched` ones of their regular expression.
    fn class_of(&mut self, named: &'a [TopicName], matched: &'a [TopicName]) -> usize {
        let subscription = (named, matched.as_ptr());
        if let Some(class) = self.known.get(&subscription) {
            return *class;
        }
        let class = self.class_of_names(named.iter().chain(matched));
        self.known.insert(subscription, class);
        class
    }

    fn class_of_names<'b>(&mut self, names: impl Iterator<Item = &'b TopicName>) -> usize {
        let topics: BTreeSet<TopicId> = names.filter_map(|name| self.ids.get(name).copied()).collect();
        let topics: Vec<TopicId> = topics.into_iter().collect();
        *self.by_topics.entry(topics.clone()).or_insert_with(|| {
            self.topics.push(topics);
            self.topics.len() - 1
        })
    }
}
