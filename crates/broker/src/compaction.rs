//! Compaction of the topics whose `cleanup.policy` asks for it: which partition is next, how fast, and what becomes of
//! failures.
//!
//! Invariants
//! - One pass at a time, in a thread beside the async ones, so that memory is bounded by
//!   [`Options::compaction_memory`](crate::Options) for all partitions together.
//! - In each round every partition that is due has one pass, the dirtiest first: none waits for another that is dirty
//!   again at once.
//! - A pass rests after each piece of work, so that it takes no more than its part of one processor
//!   ([`Options::compaction_cpu_percent`](crate::Options)) from those who produce.
//! - A partition whose pass fails stays readable and writable. It is tried again, after longer and longer pauses, and is
//!   told in the health of the server until a pass succeeds.
//! - Age is judged by [`TrustedTime`]: a clock that jumps removes no tombstone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use factum_base::clock::SharedClock;
use factum_base::tasks::Stop;
use factum_log::{CompactError, CompactionResult};
use factum_types::TopicPartition;
use parking_lot::Mutex;
use tracing::{error, info, warn};

use crate::Partition;
use crate::catalogue::Catalogue;
use crate::in_process::reason;
use crate::metrics;
use crate::trusted_time::TrustedTime;

/// Pauses after a failure: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// More problems than these are counted, not listed.
const LISTED_PROBLEMS: usize = 20;

/// What compaction takes, and how often it looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CompactionLimits {
    pub(crate) interval: Duration,
    pub(crate) memory: usize,
    /// Of one processor, 1 to 100.
    pub(crate) cpu_percent: u32,
}

/// Compacts partitions, one after the other.
pub(crate) struct Compactor {
    catalogue: Arc<Catalogue>,
    trusted_time: Arc<TrustedTime>,
    clock: SharedClock,
    limits: CompactionLimits,
    failures: Mutex<HashMap<TopicPartition, Failure>>,
}

/// The last pass over a partition, which failed.
struct Failure {
    reason: String,
    pause: Duration,
    /// On the monotonic clock.
    next_attempt: std::time::Instant,
}

/// A partition that is due.
struct DuePartition {
    partition: Arc<Partition>,
    dirty_millionths: u32,
}

impl Compactor {
    pub(crate) fn new(
        catalogue: Arc<Catalogue>,
        trusted_time: Arc<TrustedTime>,
        clock: SharedClock,
        limits: CompactionLimits,
    ) -> Self {
        Self { catalogue, trusted_time, clock, limits, failures: Mutex::default() }
    }

    /// Runs rounds until the stop is requested.
    pub(crate) async fn run(self: Arc<Self>, stop: Stop) {
        loop {
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(self.limits.interval) => {}
            }
            let (compactor, round_stop) = (Arc::clone(&self), stop.clone());
            let round = tokio::task::spawn_blocking(move || compactor.round(&round_stop));
            if let Err(source) = round.await {
                error!(error = %source, "a compaction broke an invariant");
            }
        }
    }

    /// What is wrong, a sentence each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let failures = self.failures.lock();
        let mut names: Vec<_> = failures.keys().collect();
        names.sort_unstable();
        let told = names.iter().take(LISTED_PROBLEMS).map(|name| {
            format!("partition {name} is not compacted, and tried again: {}", failures[*name].reason)
        });
        let mut problems: Vec<_> = told.collect();
        if let Some(more) = names.len().checked_sub(LISTED_PROBLEMS).filter(|more| *more > 0) {
            problems.push(format!("{more} more partitions are not compacted"));
        }
        problems
    }

    /// One pass over every partition that is due.
    fn round(&self, stop: &Stop) {
        let due = self.due();
        for DuePartition { partition, .. } in due {
            if stop.is_requested() {
                return;
            }
            self.compact(&partition, stop);
        }
    }

    /// The partitions that are due, the dirtiest first; forgets failures of those that are gone or not compacted any more.
    fn due(&self) -> Vec<DuePartition> {
        let (now, moment) = (self.trusted_time.now(), self.clock.monotonic());
        let (mut due, mut dirtiest, mut compacted) = (Vec::new(), 0, Vec::new());
        for topic in self.catalogue.topics() {
            for partition in topic.partitions() {
                let state = match partition.log().compaction_state(now) {
                    Ok(Some(state)) => state,
                    Ok(None) => continue,
                    Err(error) => {
                        self.note_failure(partition, reason(&error));
                        continue;
                    }
                };
                let name = partition.topic_partition();
                compacted.push(name.clone());
                dirtiest = dirtiest.max(state.dirty_millionths());
                let waits =
                    self.failures.lock().get(name).is_some_and(|failure| failure.next_attempt > moment);
                if state.is_due && !waits {
                    let (partition, dirty_millionths) = (Arc::clone(partition), state.dirty_millionths());
                    due.push(DuePartition { partition, dirty_millionths });
                }
            }
        }
        let mut failures = self.failures.lock();
        if !failures.is_empty() {
            failures.retain(|name, _| compacted.contains(name));
        }
        metrics::observe_dirtiest_partition(dirtiest, failures.len());
        due.sort_by_key(|due| std::cmp::Reverse(due.dirty_millionths));
        due
    }

    fn compact(&self, partition: &Partition, stop: &Stop) {
        let name = partition.topic_partition();
        let begun = self.clock.monotonic();
        let mut work_began = begun;
        let rest = (100 / self.limits.cpu_percent.clamp(1, 100)).saturating_sub(1);
        let mut pace = |bytes| {
            metrics::observe_compacted_bytes(bytes);
            let worked = self.clock.monotonic().saturating_duration_since(work_began);
            if rest > 0 {
                std::thread::sleep(worked * rest);
            }
            work_began = self.clock.monotonic();
            !stop.is_requested()
        };
        let compacted = partition.log().compact(self.trusted_time.now(), self.limits.memory, &mut pace);
        let took = self.clock.monotonic().saturating_duration_since(begun);
        match compacted {
            Ok(result) => {
                self.failures.lock().remove(name);
                metrics::observe_compaction(&result, took);
                tell(name, &result, took);
            }
            Err(CompactError::Stopped | CompactError::Closed | CompactError::Removed) => {}
            // It is told as the damage, or the failure, that it is.
            Err(CompactError::ReadOnly | CompactError::Damaged(_)) => drop(self.failures.lock().remove(name)),
            Err(error) => {
                let reason = reason(&error);
                error!(partition = %name, error = %reason, "a partition was not compacted; it is tried again");
                self.note_failure(partition, reason);
            }
        }
    }

    fn note_failure(&self, partition: &Partition, reason: String) {
        metrics::observe_failed_compaction();
        let mut failures = self.failures.lock();
        let last = failures.get(partition.topic_partition()).map(|failure| failure.pause);
        let pause = last.map_or(FIRST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE));
        let next_attempt = self.clock.monotonic() + pause;
        failures.insert(partition.topic_partition().clone(), Failure { reason, pause, next_attempt });
    }
}

fn tell(name: &TopicPartition, result: &CompactionResult, took: Duration) {
    let (before, after, removed) = (result.bytes_before, result.bytes_after, result.removed_records);
    info!(partition = %name, bytes_before = before, bytes_after = after, removed, ?took, "compacted");
    if result.unreadable_batches > 0 {
        let batches = result.unreadable_batches;
        warn!(partition = %name, batches, "batches whose records cannot be read stay as they are");
    }
    if result.keyless_records > 0 {
        let records = result.keyless_records;
        warn!(partition = %name, records, "records without a key stay: there is nothing to compact them by");
    }
}
