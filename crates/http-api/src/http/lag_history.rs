//! The lag of consumer groups over the last hour, sampled by the server, so that it is there before anyone looks.
//!
//! Invariants: at most [`MAX_SERIES`] pairs of a group and a topic are sampled, and of each the last [`MAX_SAMPLES`] are kept. Where
//! there are more pairs, those of groups with members come first: groups that are left behind push out no group that
//! works. What a group has gone from is forgotten with the next sample.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use factum_api::groups::{LagSample, TopicLag};
use factum_base::blocking_work::BlockingWork;
use factum_base::tasks::Stop;
use factum_eventlog::Group;
use factum_types::{GroupId, Timestamp, TopicName};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::sleep;
use tracing::debug;

use crate::state::State;

/// Pairs of a group and a topic that are sampled: with all samples some 4 MB.
const MAX_SERIES: usize = 1_000;
/// Samples of a pair: an hour at 15 seconds.
const MAX_SAMPLES: usize = 240;

/// Samples of each group's lag in each of its topics.
#[derive(Default)]
pub(crate) struct LagHistory {
    series: Mutex<BTreeMap<(GroupId, TopicName), VecDeque<Sample>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sample {
    at: Timestamp,
    lag: i64,
}

impl LagHistory {
    /// Samples every `interval` until `stop`.
    pub(crate) async fn follow(self: Arc<Self>, state: State, interval: Duration, stop: Stop) {
        let work = BlockingWork::at_most(1);
        loop {
            let (history, server, runtime) = (Arc::clone(&self), state.clone(), Handle::current());
            // However many groups there are, the threads that serve do not count them.
            work.run(move || match runtime.block_on(server.log.groups()) {
                Ok(groups) => history.add(server.clock.now(), &groups),
                Err(error) => {
                    debug!(error = &error as &dyn std::error::Error, "no sample of the lag of groups");
                }
            })
            .await;
            tokio::select! {
                biased;
                () = stop.requested() => return,
                () = sleep(interval) => {}
            }
        }
    }

    /// The samples of a group, by topic.
    pub(crate) fn of(&self, group: &GroupId) -> Vec<TopicLag> {
        let series = self.series.lock();
        let of_group = series.iter().filter(|((id, _), _)| id == group);
        let sample = |sample: &Sample| LagSample { at: sample.at.to_string(), lag: sample.lag.into() };
        of_group
            .map(|((_, topic), samples)| TopicLag {
                topic: topic.to_string(),
                samples: samples.iter().map(sample).collect(),
            })
            .collect()
    }

    fn add(&self, at: Timestamp, groups: &[Group]) {
        let lags = groups.iter().flat_map(|group| {
            let lags = lag_by_topic(group).into_iter();
            lags.map(|(topic, lag)| (group.members.is_empty(), (group.id.clone(), topic), lag))
        });
        let lags: Vec<_> = lags.collect();
        // Held to the end, so that no one meets a history that is half made.
        let mut kept = self.series.lock();
        // With members first; among equals, those that have samples already.
        let mut found: Vec<_> = lags
            .into_iter()
            .map(|(is_idle, key, lag)| (is_idle, !kept.contains_key(&key), key, lag))
            .collect();
        found.sort();
        let mut series = BTreeMap::new();
        for (_, _, key, lag) in found.into_iter().take(MAX_SERIES) {
            let mut samples = kept.remove(&key).unwrap_or_default();
            while samples.len() >= MAX_SAMPLES {
                samples.pop_front();
            }
            samples.push_back(Sample { at, lag });
            series.insert(key, samples);
        }
        *kept = series;
    }
}

/// Records behind the ends of the partitions of each topic. A topic that is gone has no end, and is left out.
fn lag_by_topic(group: &Group) -> BTreeMap<TopicName, i64> {
    let mut topics = BTreeMap::new();
    for committed in &group.offsets {
        if let Some(lag) = committed.lag {
            let sum: &mut i64 = topics.entry(committed.partition.topic.clone()).or_default();
            *sum = sum.saturating_add(lag);
        }
    }
    topics
}

#[cfg(test)]
mod tests {
    use factum_eventlog::{GroupOffset, Member};
    use factum_types::{Offset, TopicPartition};

    use super::*;

    fn group(id: &str, members: usize, lags: &[i64]) -> Group {
        let offset = |(partition, lag): (usize, &i64)| GroupOffset {
            partition: TopicPartition::new(
                TopicName::new("store.orders").expect("a name"),
                i32::try_from(partition).expect("few"),
            ),
            offset: Offset::new(0),
            end: Some(Offset::new(*lag)),
            lag: Some(*lag),
            metadata: String::new(),
        };
        let member = Member {
            id: "1".to_owned(),
            client_id: "test".to_owned(),
            client_host: "127.0.0.1".to_owned(),
            assignment: Vec::new(),
        };
        Group {
            id: GroupId::new(id).expect("a name"),
            state: "Stable".to_owned(),
            protocol_type: "consumer".to_owned(),
            protocol: "range".to_owned(),
            members: vec![member; members],
            offsets: lags.iter().enumerate().map(offset).collect(),
        }
    }

    fn lags(history: &LagHistory, id: &str) -> Vec<i64> {
        let of_topic = history.of(&GroupId::new(id).expect("a name"));
        of_topic.iter().flat_map(|topic| topic.samples.iter().map(|sample| sample.lag.0)).collect()
    }

    #[test]
    fn partitions_are_added_up_and_old_samples_are_dropped() {
        let history = LagHistory::default();
        for second in 0..300 {
            history.add(Timestamp::from_millis(second * 1_000), &[group("mailer", 0, &[second, 1])]);
        }
        let lags = lags(&history, "mailer");
        assert_eq!((lags.len(), lags[0], lags[239]), (MAX_SAMPLES, 61, 300));
        history.add(Timestamp::from_millis(0), &[]);
        assert!(history.of(&GroupId::new("mailer").expect("a name")).is_empty(), "the group is gone");
    }

    #[test]
    fn groups_without_members_push_out_no_group_that_works() {
        let history = LagHistory::default();
        let idle = |i: usize| group(&format!("a{i}"), 0, &[1]);
        let mut groups: Vec<Group> = (0..MAX_SERIES).map(idle).collect();
        history.add(Timestamp::from_millis(0), &groups);
        groups.push(group("working", 1, &[7]));
        groups.push(group("a-new-one", 0, &[7]));
        history.add(Timestamp::from_millis(1), &groups);
        assert_eq!(lags(&history, "working"), [7]);
        assert!(lags(&history, "a-new-one").is_empty(), "there is no room for it");
        assert_eq!(lags(&history, "a0"), [1, 1], "what has samples goes on");
        assert!(lags(&history, "a999").is_empty(), "one gave up its place");
    }
}
