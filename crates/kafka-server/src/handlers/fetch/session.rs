//! One fetch session: the partitions that a client reads, so that it need not name them again (KIP-227).
//!
//! Invariant: partitions are in the order in which they are served next: those that gave records go to the end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use factum_types::{PartitionId, TopicId};

use crate::error_code::ErrorCode;
use crate::messages::fetch::{
    FetchPartition, FetchRequest, FetchTopic, FetchedPartition, FetchedTopic, ForgottenTopic,
};

/// The epoch of a request that begins a session.
pub(super) const FIRST_EPOCH: i32 = 0;
/// The epoch of a request that is in no session, and closes the one that it names.
pub(super) const NO_EPOCH: i32 = -1;
/// What a partition takes beside the name of its topic: its places in both maps, with their nodes.
const PARTITION_BYTES: usize = 240;

/// A partition by the topic's id, or by its name where clients do not know ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    topic_id: TopicId,
    name: Arc<str>,
    partition: PartitionId,
}

/// What was asked of a partition last, and what was answered.
#[derive(Debug)]
struct CachedPartition {
    asked: FetchPartition,
    high_watermark: i64,
    log_start: i64,
}

/// The partitions of a session.
#[derive(Debug)]
pub(super) struct FetchSession {
    epoch: i32,
    uses_topic_ids: bool,
    turns: HashMap<Key, u64>,
    partitions: BTreeMap<u64, (Key, CachedPartition)>,
    next_turn: u64,
    bytes: usize,
}

impl FetchSession {
    /// A session whose first request has been answered with `answered`.
    pub(super) fn new(uses_topic_ids: bool, asked: &[FetchTopic], answered: &[FetchedTopic]) -> Self {
        let mut session = Self {
            epoch: next_epoch(FIRST_EPOCH),
            uses_topic_ids,
            turns: HashMap::new(),
            partitions: BTreeMap::new(),
            next_turn: 0,
            bytes: 0,
        };
        session.add(asked);
        for topic in answered {
            let name: Arc<str> = topic.name.as_str().into();
            for partition in &topic.partitions {
                // What was read may be behind `asked`, or was refused: the next answer says it again if need be.
                session.update(&key(topic.topic_id, &name, partition.partition_index), partition);
            }
        }
        session
    }

    /// What it takes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many partitions it has.
    pub(super) fn len(&self) -> usize {
        self.partitions.len()
    }

    /// Takes in what `request` changes, and gives all partitions to read, in their order.
    ///
    /// # Errors
    /// The code that tells the client to begin another session.
    pub(super) fn go_on(
        &mut self,
        request: &FetchRequest,
        uses_topic_ids: bool,
    ) -> Result<Vec<FetchTopic>, ErrorCode> {
        if request.session_epoch != self.epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if self.uses_topic_ids != uses_topic_ids {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        self.add(&request.topics);
        self.forget(&request.forgotten_topics);
        self.epoch = next_epoch(self.epoch);
        Ok(self.asked())
    }

    /// Whether the request of `epoch` is the last one that the session has seen.
    pub(super) fn is_answering(&self, epoch: i32) -> bool {
        self.epoch == next_epoch(epoch)
    }

    /// Leaves out of an answer what the client knows already.
    pub(super) fn retain_news(&mut self, topics: &mut Vec<FetchedTopic>) {
        for topic in topics.iter_mut() {
            let name: Arc<str> = topic.name.as_str().into();
            let topic_id = topic.topic_id;
            topic
                .partitions
                .retain(|partition| self.update(&key(topic_id, &name, partition.partition_index), partition));
        }
        topics.retain(|topic| !topic.partitions.is_empty());
    }

    fn add(&mut self, topics: &[FetchTopic]) {
        for topic in topics {
            let name: Arc<str> = topic.name.as_str().into();
            for partition in &topic.partitions {
                let key = key(topic.topic_id, &name, partition.partition);
                match self.turns.get(&key).and_then(|turn| self.partitions.get_mut(turn)) {
                    Some((_, cached)) => cached.asked = *partition,
                    None => self.append(
                        key,
                        CachedPartition { asked: *partition, high_watermark: -1, log_start: -1 },
                    ),
                }
            }
        }
    }

    fn append(&mut self, key: Key, cached: CachedPartition) {
        let turn = self.next_turn;
        self.next_turn += 1;
        self.bytes += PARTITION_BYTES + key.name.len();
        self.turns.insert(key.clone(), turn);
        self.partitions.insert(turn, (key, cached));
    }

    fn remove(&mut self, key: &Key) -> Option<(Key, CachedPartition)> {
        let turn = self.turns.remove(key)?;
        self.bytes = self.bytes.saturating_sub(PARTITION_BYTES + key.name.len());
        self.partitions.remove(&turn)
    }

    fn forget(&mut self, topics: &[ForgottenTopic]) {
        for topic in topics {
            let name: Arc<str> = topic.name.as_str().into();
            for partition in &topic.partitions {
                self.remove(&key(topic.topic_id, &name, *partition));
            }
        }
    }

    /// Neighbours of one topic are one entry.
    fn asked(&self) -> Vec<FetchTopic> {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for (key, cached) in self.partitions.values() {
            match topics.last_mut() {
                Some(last) if last.topic_id == key.topic_id && *last.name == *key.name => {
                    last.partitions.push(cached.asked);
                }
                _ => topics.push(FetchTopic {
                    name: key.name.as_ref().to_owned(),
                    topic_id: key.topic_id,
                    partitions: vec![cached.asked],
                }),
            }
        }
        topics
    }

    /// Notes what is answered of a partition; false if the client knows it already.
    fn update(&mut self, key: &Key, answer: &FetchedPartition) -> bool {
        let Some((_, cached)) = self.turns.get(key).and_then(|turn| self.partitions.get_mut(turn)) else {
            return false;
        };
        let has_records = !answer.records.is_empty();
        let is_failure = !answer.error_code.is_none();
        let is_news = has_records
            || is_failure
            || answer.diverging_epoch.is_some()
            || cached.high_watermark != answer.high_watermark
            || cached.log_start != answer.log_start_offset;
        // After an error the partition is told again, whatever its bounds are by then.
        cached.high_watermark = if is_failure { -1 } else { answer.high_watermark };
        cached.log_start = answer.log_start_offset;
        if has_records && let Some((key, cached)) = self.remove(key) {
            self.append(key, cached);
        }
        is_news
    }
}

fn key(topic_id: TopicId, name: &Arc<str>, partition: PartitionId) -> Key {
    Key { topic_id, name: Arc::clone(name), partition }
}

/// Goes around without passing the epochs that have a meaning of their own.
fn next_epoch(epoch: i32) -> i32 {
    match epoch {
        i32::MAX => 1,
        epoch => epoch + 1,
    }
}
