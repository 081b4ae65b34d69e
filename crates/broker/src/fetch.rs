//! Reads over many partitions at once, waiting for records where there are none yet.
//!
//! ```text
//!   read all ──► enough? ──yes──► answer
//!      ▲            │no
//!      │            ▼
//!      └── woken ── one waiter, registered with every partition ── time is up ──► answer
//! ```
//!
//! Always holds: nothing polls. A waiter is registered *behind* what was read; if the high watermark passed that
//! point in between, the registration says so and the read is repeated, so no wake-up is missed.
//!
//! Sizes follow KIP-74: partitions are served in the order given; the first that has records gives at least one
//! batch however large, those after it only what fits. An error in any partition is answered at once.

use std::sync::Arc;
use std::time::Duration;

use factum_log::{Slice, Waiter};
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
pub struct Fetched {
    /// Whole batches with the partition's bounds, or why there are none.
    pub result: Result<Slice, ReadError>,
}

impl Fetch {
    /// Runs it. One [`Fetched`] for each partition, in their order. Dropping the future has no effect.
    pub(crate) async fn run(self) -> Vec<Fetched> {
        let mut answer = Answer::read(&self);
        if !self.max_wait.is_zero() {
            let enough = self.wait_until_enough(&mut answer);
            // Out of time is no failure: the last read is the answer.
            tokio::time::timeout(self.max_wait, enough).await.unwrap_or_default();
        }
        for (asked, fetched) in self.partitions.iter().zip(&answer.fetched) {
            asked.partition.observe_fetch(fetched.result.as_ref().map_or(0, |slice| slice.bytes));
        }
        answer.fetched
    }

    async fn wait_until_enough(&self, answer: &mut Answer) {
        while !answer.is_enough(self) {
            self.wait_behind(answer).await;
            *answer = Answer::read(self);
        }
    }

    /// Resolves once any partition has records that `answer` does not count.
    async fn wait_behind(&self, answer: &Answer) {
        let waiter = Waiter::new();
        let passed = self
            .partitions
            .iter()
            .zip(&answer.seen)
            .any(|(asked, seen)| asked.partition.wait_past(*seen, &waiter));
        match passed {
            true => tokio::task::yield_now().await,
            false => waiter.woken().await,
        }
    }
}

/// What one reading of all partitions gave.
struct Answer {
    fetched: Vec<Fetched>,
    /// The high watermark of each partition when it was read.
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
            answer.add(asked, fetch.max_bytes);
        }
        answer
    }

    fn add(&mut self, asked: &FetchPartition, max_bytes: usize) {
        let room = asked.limit_bytes.min(max_bytes.saturating_sub(self.bytes));
        let is_first = self.bytes == 0;
        let result = match room {
            0 if !is_first => asked.partition.peek(asked.from),
            room => {
                asked.partition.read(asked.from, room).map(|slice| match slice.bytes > room && !is_first {
                    true => Slice { chunks: Vec::new(), bytes: 0, bounds: slice.bounds },
                    false => slice,
                })
            }
        };
        match &result {
            Ok(slice) => {
                self.bytes += slice.bytes;
                self.seen.push(slice.bounds.high_watermark);
            }
            Err(_) => {
                self.has_error = true;
                self.seen.push(Offset::ZERO);
            }
        }
        self.fetched.push(Fetched { result });
    }

    fn is_enough(&self, fetch: &Fetch) -> bool {
        self.has_error || self.bytes >= fetch.min_bytes.min(fetch.max_bytes)
    }
}
