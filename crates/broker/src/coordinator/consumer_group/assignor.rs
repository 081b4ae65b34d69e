//! The assignors of the server: `uniform` and `range` (KIP-848).
//!
//! Members are put into *classes*: those of a class read the same topics. So what an assignor does grows with the
//! partitions and the subscriptions, not with their product.
//!
//! Invariants:
//! - each partition of a topic that someone reads is given to exactly one member, who reads the topic;
//! - the same input gives the same assignment;
//! - with `uniform`, where all members read the same topics, two members differ by one partition at most, and no
//!   partition moves that need not for that.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use factum_types::{PartitionId, TopicId};

use super::partition_set::PartitionSet;

/// A member, for an assignor.
pub(crate) struct Candidate<'a> {
    pub(crate) id: &'a str,
    pub(crate) instance_id: Option<&'a str>,
    /// Its place among the classes.
    pub(crate) class: usize,
    /// What it was to have before.
    pub(crate) before: &'a PartitionSet,
}

/// What there is to share out.
pub(crate) struct Spec<'a> {
    /// By id.
    pub(crate) members: Vec<Candidate<'a>>,
    /// The topics of each class, in order.
    pub(crate) classes: Vec<Vec<TopicId>>,
    /// The number of partitions of each topic that anyone reads.
    pub(crate) topics: BTreeMap<TopicId, PartitionId>,
}

/// How partitions are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assignor {
    /// Evenly over all topics, moving as little as possible.
    Uniform,
    /// Ranges of each topic, so that members have the same partitions of topics that are alike.
    Range,
}

impl Assignor {
    /// The default comes first.
    pub(crate) const ALL: [Self; 2] = [Self::Uniform, Self::Range];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assignor| assignor.name() == name)
    }

    /// What each member is to have, in the order of the members.
    pub(crate) fn assign(self, spec: &Spec<'_>) -> Vec<PartitionSet> {
        match self {
            _ if spec.members.is_empty() => Vec::new(),
            Self::Uniform if spec.classes.len() == 1 => even(spec),
            Self::Uniform => balanced(spec),
            Self::Range => ranges(spec),
        }
    }
}

impl Spec<'_> {
    /// The members of each class, by id.
    fn members_of_classes(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.classes.len()];
        for (place, member) in self.members.iter().enumerate() {
            members[member.class].push(place);
        }
        members
    }

    /// The classes that read each topic.
    fn classes_of_topics(&self) -> HashMap<TopicId, Vec<usize>> {
        let mut classes: HashMap<TopicId, Vec<usize>> = HashMap::new();
        for (class, topics) in self.classes.iter().enumerate() {
            topics.iter().for_each(|topic| classes.entry(*topic).or_default().push(class));
        }
        classes
    }
}

/// All members read the same topics.
fn even(spec: &Spec<'_>) -> Vec<PartitionSet> {
    let topics = spec.topics.iter().filter(|(topic, _)| spec.classes[0].binary_search(topic).is_ok());
    let topics: BTreeMap<TopicId, PartitionId> = topics.map(|(topic, count)| (*topic, *count)).collect();
    let is_there =
        |topic: TopicId, number: PartitionId| topics.get(&topic).is_some_and(|count| number < *count);
    let total: usize = topics.values().map(|count| usize::try_from(*count).unwrap_or(0)).sum();
    let (least, larger) = (total / spec.members.len(), total % spec.members.len());
    // Who has most keeps most: the larger parts go to those that have one already.
    let mut order: Vec<usize> = (0..spec.members.len()).collect();
    order.sort_by_key(|place| Reverse(spec.members[*place].before.len()));
    let mut shares = vec![PartitionSet::default(); spec.members.len()];
    let mut taken = PartitionSet::default();
    let mut unfilled = Vec::new();
    for (rank, place) in order.into_iter().enumerate() {
        let quota = least + usize::from(rank < larger);
        let kept = spec.members[place].before.iter();
        let kept =
            kept.filter(|(topic, number)| is_there(*topic, *number) && !taken.contains(*topic, *number));
        let kept: PartitionSet = kept.take(quota).collect();
        kept.iter().for_each(|(topic, number)| taken.insert(topic, number));
        unfilled.push((place, quota - kept.len()));
        shares[place] = kept;
    }
    let all = topics.iter().flat_map(|(topic, count)| (0..*count).map(move |number| (*topic, number)));
    let mut free = all.filter(|(topic, number)| !taken.contains(*topic, *number));
    unfilled.sort_unstable();
    for (place, missing) in unfilled {
        free.by_ref().take(missing).for_each(|(topic, number)| shares[place].insert(topic, number));
    }
    shares
}

/// Members read different topics: each partition goes to the reader that has least, the topics with the fewest
/// classes of readers first. How many partitions of each topic a member has follows from that; which ones, from what it
/// had before.
fn balanced(spec: &Spec<'_>) -> Vec<PartitionSet> {
    let classes_of_topics = spec.classes_of_topics();
    let mut topics: Vec<_> =
        spec.topics.iter().filter(|(topic, _)| classes_of_topics.contains_key(topic)).collect();
    topics.sort_by_key(|(topic, _)| (classes_of_topics[topic].len(), **topic));
    let members = spec.members_of_classes();
    let mut queues: Vec<BinaryHeap<Reverse<(usize, usize)>>> =
        members.iter().map(|members| members.iter().map(|member| Reverse((0, *member))).collect()).collect();
    let mut shares = vec![PartitionSet::default(); spec.members.len()];
    for (topic, count) in topics {
        let first = |queue: &BinaryHeap<Reverse<(usize, usize)>>| queue.peek().map(|Reverse(first)| *first);
        let readers = classes_of_topics[topic].iter();
        let mut heads: BinaryHeap<_> =
            readers.filter_map(|class| Some(Reverse((first(&queues[*class])?, *class)))).collect();
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for _ in 0..*count {
            let Some(Reverse((_, class))) = heads.pop() else { break };
            if let Some(Reverse((load, member))) = queues[class].pop() {
                *counts.entry(member).or_default() += 1;
                queues[class].push(Reverse((load + 1, member)));
            }
            heads.extend(first(&queues[class]).map(|head| Reverse((head, class))));
        }
        share_topic(spec, *topic, *count, counts, &mut shares);
    }
    shares
}

/// Gives members as many partitions of the topic as `counts` says, those first that they had before.
fn share_topic(
    spec: &Spec<'_>,
    topic: TopicId,
    count: PartitionId,
    mut counts: BTreeMap<usize, usize>,
    shares: &mut [PartitionSet],
) {
    let mut taken = PartitionSet::default();
    for (member, missing) in &mut counts {
        let before = spec.members[*member].before.topics().find(|(before, _)| *before == topic);
        let numbers = before.into_iter().flat_map(|(_, numbers)| numbers.iter().copied());
        let free = numbers.filter(|number| *number < count && !taken.contains(topic, *number));
        let kept: Vec<_> = free.take(*missing).collect();
        *missing -= kept.len();
        for number in kept {
            taken.insert(topic, number);
            shares[*member].insert(topic, number);
        }
    }
    let mut free = (0..count).filter(|number| !taken.contains(topic, *number));
    for (member, missing) in counts {
        free.by_ref().take(missing).for_each(|number| shares[member].insert(topic, number));
    }
}

/// Each topic is cut into as many ranges as it has readers, in an order that is the same for all topics: static members by
/// their instance ids, then the others by their ids.
fn ranges(spec: &Spec<'_>) -> Vec<PartitionSet> {
    let key = |place: usize| {
        let member = &spec.members[place];
        (member.instance_id.is_none(), member.instance_id.unwrap_or(member.id), place)
    };
    let mut members = spec.members_of_classes();
    members.iter_mut().for_each(|members| members.sort_by_key(|place| key(*place)));
    let classes_of_topics = spec.classes_of_topics();
    let mut shares = vec![PartitionSet::default(); spec.members.len()];
    for (topic, count) in &spec.topics {
        let Some(classes) = classes_of_topics.get(topic) else { continue };
        let readers: usize = classes.iter().map(|class| members[*class].len()).sum();
        let Some(readers) = PartitionId::try_from(readers).ok().filter(|readers| *readers > 0) else {
            continue;
        };
        // The readers in order, as far as there are partitions for them.
        let mut heads: BinaryHeap<_> = classes
            .iter()
            .filter_map(|class| Some(Reverse((key(*members[*class].first()?), 0_usize, *class))))
            .collect();
        let (mut next, mut rank) = (0, 0);
        while next < *count
            && let Some(Reverse(((.., place), at, class))) = heads.pop()
        {
            let length = count / readers + PartitionId::from(rank < count % readers);
            (next..next + length).for_each(|number| shares[place].insert(*topic, number));
            (next, rank) = (next + length, rank + 1);
            heads.extend(members[class].get(at + 1).map(|place| Reverse((key(*place), at + 1, class))));
        }
    }
    shares
}

#[cfg(test)]
mod tests;
