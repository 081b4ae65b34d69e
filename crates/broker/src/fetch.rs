//! Reads over many partitions at once, waiting for records where there are none yet.
//!
//! ```text
//!   read all ──► enough? ──yes──────────────────────────► answer
//!                   │no
//!                   ▼
//!        ┌── one waiter, registered with every partition ── time is up ──► read all ──► answer
//!        ▲          │ woken
//!        └── no ── count what has come: enough? ── yes ──► read all ──► answer
//! ```
//!
//! Invariants: nothing polls. A waiter is registered *behind* what was counted; if the end that the reader sees passed that
//! point in between, the registration says so and counting goes on, so no wake-up is missed. However long a fetch waits, what
//! was there before is not read again for each batch that comes. Files are not read on an async thread.
//!
//! Sizes follow KIP-74: partitions are served in the order given; the first that has records gives at least one
//! batch however large, those after it only what fits. An error in any partition is answered at once.

use std::sync::Arc;
use std::time::Duration;

use factum_base::blocking_work::BlockingWork;
use factum_log::{Isolation, Slice, Waiter};
use factum_types::Offset;

use crate::partition::{Partition, ReadError};

/// What to read, and how long to wait for it.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// The partitions, in the order in which they are served.
    pub partitions: Vec<FetchPartition>,
    /// Waits until this many bytes are there, from all partitions together; more than `max_bytes` counts as that.
    pub min_bytes: usize,
    /// Answers about this many bytes at most, from all partitions together.
    pub max_bytes: usize,
    /// Answers with what there is after this time.
    pub max_wait: Duration,
    /// Which records are given.
    pub isolation: Isolation,
}

/// One partition of a [`Fetch`].
#[derive(Debug, Clone)]
pub struct FetchPartition {
    /// The partition.
    pub partition: Arc<Partition>,
    /// The first offset wanted; the batch that holds it is answered whole.
    pub from: i64,
    /// Answers about this many bytes of it at most.
    pub limit_bytes: usize,
}

/// What one partition of a [`Fetch`] gave.
#[derive(Debug)]
pub struct FetchResult {
    /// Whole batches with the partition's bounds, or why there are none.
    pub result: Result<Slice, ReadError>,
}

impl Fetch {
    /// Runs it. One [`FetchResult`] for each partition, in their order. Dropping the future has no effect.
    pub(crate) async fn run(self, cold_reads: &BlockingWork) -> Vec<FetchResult> {
        let this = Arc::new(self);
        let mut answer = this.read(cold_reads).await;
        if !this.max_wait.is_zero() && !answer.is_enough(&this) {
            let mut arrived = ArrivedBytes::behind(&answer);
            let enough = this.wait_until_enough(&mut arrived);
            // Out of time is no failure: what is there by then is the answer.
            tokio::time::timeout(this.max_wait, enough).await.unwrap_or_default();
            if arrived.is_something {
                answer = this.read(cold_reads).await;
            }
        }
        this.observe(&answer);
        answer.fetched
    }

    /// Reads here what is in memory, and on a thread for blocking work what is not.
    async fn read(self: &Arc<Self>, cold_reads: &BlockingWork) -> Answer {
        if !self.partitions.iter().any(|asked| asked.partition.is_cold(asked.from, self.isolation)) {
            return Answer::read(self);
        }
        let this = Arc::clone(self);
        cold_reads.run(move || Answer::read(&this)).await
    }

    fn observe(&self, answer: &Answer) {
        for (asked, fetched) in self.partitions.iter().zip(&answer.fetched) {
            asked.partition.observe_fetch(fetched.result.as_ref().map_or(0, |slice| slice.bytes));
        }
    }

    async fn wait_until_enough(&self, arrived: &mut ArrivedBytes) {
        while !arrived.is_enough(self) {
            self.wait_behind(&arrived.seen).await;
            arrived.count(self);
        }
    }

    /// Resolves once any partition has records behind those `seen`.
    async fn wait_behind(&self, seen: &[Offset]) {
        let waiter = Waiter::new();
        let passed = self
            .partitions
            .iter()
            .zip(seen)
            .any(|(asked, seen)| asked.partition.wait_past(*seen, self.isolation, &waiter));
        match passed {
            true => tokio::task::yield_now().await,
            false => waiter.woken().await,
        }
    }

    /// The bytes that end the wait.
    fn wanted_bytes(&self) -> usize {
        self.min_bytes.min(self.max_bytes)
    }
}

/// What has come while a fetch waits. Only sizes are kept: each batch is looked at once, when it has come, and read with
/// all others when there are enough.
struct ArrivedBytes {
    /// The end of each partition, for this reader, when it was looked at last.
    seen: Vec<Offset>,
    /// Bytes of each partition that the answer will have.
    bytes: Vec<usize>,
    has_error: bool,
    is_something: bool,
}

impl ArrivedBytes {
    fn behind(answer: &Answer) -> Self {
        let bytes =
            answer.fetched.iter().map(|fetched| fetched.result.as_ref().map_or(0, |slice| slice.bytes));
        Self { seen: answer.seen.clone(), bytes: bytes.collect(), has_error: false, is_something: false }
    }

    fn count(&mut self, fetch: &Fetch) {
        for (at, asked) in fetch.partitions.iter().enumerate() {
            let room = asked.limit_bytes.saturating_sub(self.bytes[at]);
            let (seen, partition) = (self.seen[at], &asked.partition);
            let new = match room {
                0 => partition.peek(seen.get()),
                room => partition.read(seen.get(), room, fetch.isolation),
            };
            match new {
                Ok(slice) => {
                    let end = slice.bounds.end_for(fetch.isolation);
                    self.is_something |= end > seen;
                    self.bytes[at] += slice.bytes;
                    self.seen[at] = end.max(seen);
                }
                Err(_) => (self.has_error, self.is_something) = (true, true),
            }
        }
    }

    fn is_enough(&self, fetch: &Fetch) -> bool {
        self.has_error || self.bytes.iter().sum::<usize>() >= fetch.wanted_bytes()
    }
}

/// What one reading of all partitions gave.
struct Answer {
    fetched: Vec<FetchResult>,
    /// The end of each partition, for this reader, when it was read.
    seen: Vec<Offset>,
    bytes: usize,
    has_error: bool,
}

impl Answer {
    fn read(fetch: &Fetch) -> Self {
        let count = fetch.partitions.len();
        let mut answer = Self {
            fetched: Vec::with_capacity(count),
            seen: Vec::with_capacity(count),
            bytes: 0,
            has_error: false,
        };
        for asked in &fetch.partitions {
            answer.add(asked, fetch.max_bytes, fetch.isolation);
        }
        answer
    }

    fn add(&mut self, asked: &FetchPartition, max_bytes: usize, isolation: Isolation) {
        let room = asked.limit_bytes.min(max_bytes.saturating_sub(self.bytes));
        let is_first = self.bytes == 0;
        let result = match room {
            0 if !is_first => asked.partition.peek(asked.from),
            room => asked.partition.read(asked.from, room, isolation).map(|slice| {
                match slice.bytes > room && !is_first {
                    true => Slice::empty(slice.bounds),
                    false => slice,
                }
            }),
        };
        match &result {
            Ok(slice) => {
                self.bytes += slice.bytes;
                self.seen.push(slice.bounds.end_for(isolation));
            }
            Err(_) => {
                self.has_error = true;
                self.seen.push(Offset::ZERO);
            }
        }
        self.fetched.push(FetchResult { result });
    }

    fn is_enough(&self, fetch: &Fetch) -> bool {
        self.has_error || self.bytes >= fetch.wanted_bytes()
    }
}
