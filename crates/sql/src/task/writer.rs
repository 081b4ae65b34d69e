//! Commits a task's epochs, and sends their dead letters.
//!
//! Invariants: what an epoch adds to rows, offsets, counts and letters is one commit. Letters that cannot be sent
//! wait in the outbox of each further epoch, [`MOST_WAITING`] of them at most; what is beyond that is counted.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use factum_state::{
    self as state, Changes, Epoch, Fence, FoundValues, Outgoing, Progress, StateStore, TakeOver, TaskId,
};
use factum_types::{Offset, PartitionId, Timestamp, TopicId, TopicName, TopicPartition};
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use super::counts::{self, Counts};
use super::evaluate::EvaluationResult;
use super::prepared::PreparedEpoch;
use super::status::CommittedEpoch;
use super::{Environment, RejectedEvents, TaskError, TaskStatus};
use crate::closings::Closings;
use crate::dead_letter::{self, Delivery};
use crate::metrics::PipelineMetrics;
use crate::statement::shortened;

/// The identity of the topic that was read.
const TOPIC: &[u8] = b"topic";
/// The first offset that was read.
const BEGAN: &[u8] = b"began";
/// The time up to which the log was read, in milliseconds.
const READ_TO: &[u8] = b"read_to";
/// Most letters, and bytes of them, that wait for their topic; every epoch writes them again.
const MOST_WAITING: usize = 256;
const MOST_WAITING_BYTES: usize = 256 << 10;
/// Most characters of a reason that is shown; its dead letter has all of it.
const LONGEST_REASON: usize = 300;

/// Commits a task's epochs.
pub(crate) struct Writer {
    pub(crate) environment: Arc<Environment>,
    pub(crate) id: TaskId,
    pub(crate) letters: TopicName,
    pub(crate) status: Arc<TaskStatus>,
    pub(crate) metrics: PipelineMetrics,
    /// Rises with each epoch of the pipeline.
    pub(crate) advanced: Arc<watch::Sender<u64>>,
    fence: Fence,
    /// As committed.
    counts: Counts,
    rejected: Option<RejectedEvents>,
    /// Whether events that were rejected were written of in the log since the start.
    is_rejection_logged: bool,
    /// What the next commit adds to the count.
    letters_lost: u64,
    /// What was committed last but for its rows, if the state holds letters with it.
    unsettled: Option<Epoch>,
    /// Letters that could not be sent yet.
    waiting: Vec<Outgoing>,
    /// The epoch of the newest commit.
    epoch: u64,
    /// The topic that is read, once that is known, and whether the state says so already.
    topic: Option<TopicId>,
    is_topic_kept: bool,
    /// The first offset that is read, until it is kept.
    began: Option<Offset>,
    /// The time up to which the log was read.
    read_to: Option<Timestamp>,
    /// Whether damage took the state, which is told until a commit says what was read again.
    has_lost_state: bool,
}

/// What a task's state was made from, as far as it can be told from the log as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct History {
    /// The topic.
    pub(crate) topic: Option<TopicId>,
    /// The first offset that was read.
    pub(crate) began: Offset,
}

/// What the state of `task` was made from.
///
/// # Errors
/// [`state::ReadError`].
pub(crate) async fn history(state: &dyn StateStore, task: &TaskId) -> Result<History, state::ReadError> {
    let found = state.get_many(task, counts::TABLE, &[TOPIC, BEGAN]).await?;
    Ok(History { topic: topic(&found, 0), began: offset(&found, 1).unwrap_or(Offset::ZERO) })
}

fn topic(found: &FoundValues, index: usize) -> Option<TopicId> {
    found.get(index).and_then(|bytes| bytes.try_into().ok()).map(TopicId::from_bytes)
}

fn offset(found: &FoundValues, index: usize) -> Option<Offset> {
    let bytes = found.get(index).and_then(|bytes| bytes.try_into().ok());
    bytes.map(|bytes| Offset::new(i64::from_le_bytes(bytes)))
}

fn rejected(found: &FoundValues, index: usize) -> Option<RejectedEvents> {
    found.get(index).and_then(RejectedEvents::from_bytes)
}

/// Why an event of a closed window is in a dead letter.
fn too_late(window_end: i64) -> String {
    match jiff::Timestamp::from_microsecond(window_end) {
        Ok(end) => format!("it came after its window, which ended at {end}, was closed"),
        Err(_) => "it came after its window was closed".to_owned(),
    }
}

/// What the state of `task` says of itself, to be shown without a task that holds it: what was committed last,
/// and of which topic.
///
/// # Errors
/// [`state::ReadError`].
pub(crate) async fn committed(
    state: &dyn StateStore,
    task: &TaskId,
    place: &TopicPartition,
) -> Result<Option<(TopicId, CommittedEpoch)>, state::ReadError> {
    let mut facts = BTreeMap::new();
    let mut visit = |key: &[u8], value: &[u8]| drop(facts.insert(key.to_vec(), value.to_vec()));
    let progress = state.scan(task, counts::TABLE, &mut visit).await?;
    let mut found = FoundValues::with_capacity(Counts::KEYS.len() + 3);
    for key in Counts::KEYS.into_iter().chain([TOPIC, READ_TO, RejectedEvents::KEY]) {
        found.push(facts.get(key).map(Vec::as_slice));
    }
    let next = progress.offsets.iter().find(|(source, _)| source == place).map(|(_, next)| *next);
    let (Some(topic), Some(next)) = (topic(&found, Counts::KEYS.len()), next) else { return Ok(None) };
    let read_to = offset(&found, Counts::KEYS.len() + 1).map(|millis| Timestamp::from_millis(millis.get()));
    let counts = Counts::of(&found);
    let rejected = rejected(&found, Counts::KEYS.len() + 2);
    let Progress { epoch, watermark, .. } = progress;
    Ok(Some((topic, CommittedEpoch { epoch, next, watermark, events: 0, read_to, counts, rejected })))
}

impl Writer {
    pub(crate) fn new(
        environment: Arc<Environment>,
        id: TaskId,
        letters: TopicName,
        status: Arc<TaskStatus>,
        metrics: PipelineMetrics,
        advanced: Arc<watch::Sender<u64>>,
    ) -> Self {
        Self {
            environment,
            id,
            letters,
            status,
            metrics,
            advanced,
            fence: Fence::default(),
            counts: Counts::default(),
            rejected: None,
            is_rejection_logged: false,
            letters_lost: 0,
            unsettled: None,
            waiting: Vec::new(),
            epoch: 0,
            topic: None,
            is_topic_kept: false,
            began: None,
            read_to: None,
            has_lost_state: false,
        }
    }

    /// Whether damage took the state: what is not in the log any more cannot be read again.
    pub(super) fn has_lost_state(&self) -> bool {
        self.has_lost_state
    }

    /// What is read is this topic.
    pub(super) fn reads(&mut self, topic: TopicId) {
        self.topic.get_or_insert(topic);
    }

    /// Takes the state over, and starts it over if it is of another topic of the same name.
    pub(super) async fn take_over(&mut self, read: TopicId) -> Result<Progress, TaskError> {
        let state = Arc::clone(&self.environment.state);
        let mut taken = state.take_over(&self.id).await?;
        let mut found = self.facts().await?;
        if topic(&found, Counts::KEYS.len()).is_some_and(|known| known != read) {
            info!(task = %self.id, "the topic was deleted and created again: its state starts over");
            self.forget().await?;
            taken = state.take_over(&self.id).await?;
            found = self.facts().await?;
        }
        let TakeOver { fence, progress, lost } = taken;
        self.has_lost_state = lost.is_some();
        if let Some(loss) = lost {
            warn!(task = %self.id, reason = loss.reason, "the state was damaged and is built again");
            self.status.note(format!("its state was damaged and is built again: {}", loss.reason));
        }
        let [of_topic, of_began, of_read_to, of_rejected] =
            [0, 1, 2, 3].map(|index| Counts::KEYS.len() + index);
        (self.fence, self.counts, self.epoch) = (fence, Counts::of(&found), progress.epoch);
        self.rejected = rejected(&found, of_rejected);
        (self.topic, self.is_topic_kept) = (Some(read), topic(&found, of_topic).is_some());
        self.began = (progress.epoch == 0 && offset(&found, of_began).is_none()).then_some(Offset::ZERO);
        self.read_to = offset(&found, of_read_to).map(|millis| Timestamp::from_millis(millis.get()));
        self.waiting.clone_from(&progress.outbox);
        self.unsettled = (!progress.outbox.is_empty()).then(|| Epoch {
            offsets: progress.offsets.clone(),
            watermark: progress.watermark,
            ..Epoch::default()
        });
        self.send_letters().await;
        Ok(progress)
    }

    /// Shows what the state holds, although the task does not: a commit that failed here may have reached it all the
    /// same, and what is behind it may be read.
    pub(super) async fn show_committed(&self, place: &TopicPartition) {
        if self.topic.is_none() {
            return;
        }
        if let Ok(Some((topic, committed))) = committed(&*self.environment.state, &self.id, place).await
            && Some(topic) == self.topic
            && committed.epoch != self.status.epoch()
        {
            self.status.show_committed(committed);
            self.advanced.send_modify(|count| *count += 1);
        }
    }

    async fn facts(&self) -> Result<FoundValues, state::ReadError> {
        let own = [TOPIC, BEGAN, READ_TO, RejectedEvents::KEY];
        let keys: Vec<&[u8]> = Counts::KEYS.into_iter().chain(own).collect();
        self.environment.state.get_many(&self.id, counts::TABLE, &keys).await
    }

    /// Reading goes on at an offset of a partition, behind what was committed, and by `closings`. A state that starts over
    /// is made from `first` on.
    pub(super) fn resumed(
        &mut self,
        committed: &Progress,
        (partition, next): (PartitionId, Offset),
        first: Offset,
        closings: Option<Arc<Closings>>,
    ) {
        self.began = self.began.map(|_| first);
        let at = CommittedEpoch {
            epoch: committed.epoch,
            next,
            watermark: committed.watermark,
            events: 0,
            read_to: self.read_to,
            counts: self.counts,
            rejected: self.rejected.clone(),
        };
        self.status.resume(at, partition, closings);
        self.advanced.send_modify(|count| *count += 1);
    }

    /// The partition is another one of the same name: its id is another, or it ends before what was read of it.
    pub(super) async fn forget(&self) -> Result<(), state::CommitError> {
        self.environment.state.forget(&self.id).await
    }

    /// Commits a part of an epoch.
    pub(super) async fn commit(
        &mut self,
        prepared: &PreparedEpoch,
        records: Range<usize>,
        evaluated: EvaluationResult,
        place: TopicPartition,
    ) -> Result<(), TaskError> {
        let EvaluationResult { mut changes, culprits } = evaluated;
        let late: Vec<_> =
            prepared.late_in(&records).map(|(record, end)| (*record, too_late(*end))).collect();
        let mut bad: Vec<_> = prepared.poisoned_in(&records).chain(&culprits).collect();
        let mut added = Counts {
            poisoned: bad.len() as u64,
            late: late.len() as u64,
            ahead: prepared.ahead_in(&records),
            ..Counts::default()
        };
        let events = records.len() as u64;
        let just_rejected = bad.iter().max().map(|(_, reason)| self.rejected_now(added.poisoned, reason));
        let rejected = RejectedEvents::behind(self.rejected.clone(), just_rejected.clone(), events);
        bad.extend(&late);
        bad.sort_unstable();
        let letter = |(record, reason): &&(usize, String)| {
            dead_letter::letter(&self.letters, &place, &prepared.records[*record], reason)
        };
        let mut outbox: Vec<_> = bad.iter().map(letter).collect();
        for range in prepared.unreadable_in(&records) {
            added.unreadable += u64::try_from(range.next.since(range.from)).unwrap_or(0);
            outbox.push(dead_letter::unreadable(&self.letters, &place, range));
            self.status.note(dead_letter::in_words(&place, range));
            warn!(task = %self.id, from = range.from.get(), next = range.next.get(), reason = range.reason,
                "offsets cannot be read");
        }
        let outbox = self.with_waiting(outbox);
        added.letters_lost = std::mem::take(&mut self.letters_lost);
        let counts = self.counts.plus(added);
        counts.put(self.counts, &mut changes);
        let read_to = prepared.read_to(&records).or(self.read_to);
        self.put_facts(read_to, rejected.as_ref(), &mut changes);
        let (next, watermark) = (prepared.next(&records), prepared.watermark(&records));
        let offsets = vec![(place, next)];
        let epoch = Epoch { changes, offsets: offsets.clone(), watermark, outbox };
        let progress = self.environment.state.commit(&self.id, self.fence, epoch).await?;
        (self.counts, self.epoch, self.is_topic_kept, self.began) = (counts, progress.epoch, true, None);
        self.read_to = read_to;
        if std::mem::take(&mut self.has_lost_state) {
            self.environment.state.acknowledge_loss(&self.id, self.fence).await?;
        }
        self.log_rejected(just_rejected);
        self.rejected.clone_from(&rejected);
        self.metrics.add(events, added);
        self.status.commit(CommittedEpoch {
            epoch: progress.epoch,
            next,
            watermark,
            events,
            read_to,
            counts,
            rejected,
        });
        self.advanced.send_modify(|count| *count += 1);
        self.unsettled =
            (!progress.outbox.is_empty()).then(|| Epoch { offsets, watermark, ..Epoch::default() });
        self.waiting = progress.outbox;
        self.send_letters().await;
        Ok(())
    }

    fn rejected_now(&self, count: u64, reason: &str) -> RejectedEvents {
        let now = self.environment.clock.now();
        let (topic, reason) = (self.letters.clone(), shortened(reason, LONGEST_REASON));
        RejectedEvents { topic, count, in_a_row: count, first: now, last: now, reason }
    }

    /// Writes of what an epoch sent to dead letters, if that is the first since the start, or for a while.
    fn log_rejected(&mut self, added: Option<RejectedEvents>) {
        let Some(added) = added else { return };
        let is_long_ago = self.rejected.as_ref().is_none_or(|before| before.is_long_before(&added));
        if is_long_ago || !self.is_rejection_logged {
            let RejectedEvents { count, topic, reason, .. } = added;
            warn!(task = %self.id, events = count, %topic, reason, "events went to dead letters");
        }
        self.is_rejection_logged = true;
    }

    fn put_facts(
        &self,
        read_to: Option<Timestamp>,
        rejected: Option<&RejectedEvents>,
        changes: &mut Changes,
    ) {
        if let Some(rejected) = rejected.filter(|rejected| self.rejected.as_ref() != Some(*rejected)) {
            changes.put(counts::TABLE, RejectedEvents::KEY, &rejected.to_bytes());
        }
        if let Some(read_to) = read_to {
            changes.put(counts::TABLE, READ_TO, &read_to.as_millis().to_le_bytes());
        }
        if let Some(topic) = self.topic.filter(|_| !self.is_topic_kept) {
            changes.put(counts::TABLE, TOPIC, topic.as_bytes());
        }
        if let Some(began) = self.began {
            changes.put(counts::TABLE, BEGAN, &began.get().to_le_bytes());
        }
    }

    /// The outbox of the next epoch: letters that wait, then new ones. The first to wait are kept if there are too
    /// many, since they say how the trouble began.
    fn with_waiting(&mut self, new: Vec<Outgoing>) -> Vec<Outgoing> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return new;
        }
        let (mut outbox, mut bytes) = (Vec::new(), 0);
        for letter in waiting.into_iter().chain(new) {
            bytes += letter.value.as_ref().map_or(0, Bytes::len);
            match outbox.len() < MOST_WAITING && bytes <= MOST_WAITING_BYTES {
                true => outbox.push(letter),
                false => self.letters_lost += 1,
            }
        }
        outbox
    }

    /// Sends the letters that wait; those that cannot be sent go on waiting.
    pub(super) async fn send_letters(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let letters = std::mem::take(&mut self.waiting);
        let delivery = dead_letter::publish(&*self.environment.log, &self.id, self.epoch, letters).await;
        let Delivery { waiting, refused, problem } = delivery;
        self.letters_lost += refused;
        self.status.letters(waiting.len() as u64, problem);
        self.waiting = waiting;
    }

    /// Before a stop: letters that were sent leave the state, so that the next start does not send them again.
    pub(super) async fn settle(&mut self) {
        let Some(epoch) = self.unsettled.take_if(|_| self.waiting.is_empty()) else { return };
        if let Err(error) = self.environment.state.commit(&self.id, self.fence, epoch).await {
            info!(task = %self.id, %error, "letters that were sent are sent again at the next start");
        }
    }

    /// Sends letters that wait again and again, until `end`.
    pub(super) async fn send_letters_until(&mut self, end: &Notify) {
        while !self.waiting.is_empty() {
            tokio::select! {
                () = end.notified() => return,
                () = tokio::time::sleep(self.environment.options.retry) => self.send_letters().await,
            }
        }
    }
}
