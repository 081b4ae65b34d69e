//! The frames of one tail, one at a time as the client takes them.
//!
//! ```text
//!   wait for each partition ─► ready ─► a task writes a frame ─► sent ─► the client takes it
//!            ▲                            │        ▲                         │
//!            └─ read to its end ──────────┘        └── memory for a large record
//! ```
//!
//! Invariant: a tail that its client pauses holds what [`TailWriter`] counts, and waits in no one's way but for the
//! memory of its own address.

use std::sync::Arc;

use bytes::Bytes;
use factum_base::clients::ClientAddress;
use factum_eventlog::{EventLog, PartitionBounds, Topic};
use factum_types::{Offset, PartitionId, TopicPartition};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::positions::Positions;
use super::writer::{FrameResult, TailWriter};
use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::problem::Problem;
use crate::http::server_sent::{Frame, Frames, KEEP_ALIVE};
use crate::http::streams::{StreamShare, TailMemory};
use crate::metrics::GaugeGuard;

/// What a tail is to follow.
pub(super) struct Tail {
    pub(super) topic: Topic,
    /// Where to begin.
    pub(super) positions: Positions,
    /// Where the client had been in another topic of this name.
    pub(super) left_behind: Vec<(PartitionId, Offset)>,
    /// How many records to send at most.
    pub(super) limit: Option<u64>,
}

/// A tail under way.
pub(super) struct TailStream {
    api: Arc<Api>,
    client: ClientAddress,
    /// One for each partition that was read to its end.
    waits: FuturesUnordered<BoxFuture<'static, PartitionId>>,
    /// None while a task writes a frame.
    writer: Option<TailWriter>,
    /// The task that writes a frame, if one does.
    writing: JoinSet<(TailWriter, FrameResult)>,
    /// The wait for memory that the next frame needs.
    memory: Option<BoxFuture<'static, TailMemory>>,
    _place: StreamShare,
    /// For what it waits for.
    _memory: TailMemory,
    _present: GaugeGuard,
}

impl Frames for TailStream {
    fn begin(&mut self, frame: &mut Frame) {
        if let Some(mut writer) = self.writer.take() {
            self.wait_for_more(&mut writer);
            self.writer.insert(writer).begin(frame);
        }
    }

    async fn next_frame(&mut self) -> Option<Bytes> {
        let stop = self.api.stop.clone();
        let next = timeout(KEEP_ALIVE, self.write_next());
        tokio::select! {
            biased;
            () = stop.requested() => None,
            next = next => next.unwrap_or_else(|_| {
                let mut frame = Frame::default();
                frame.comment("keep-alive");
                Some(frame.finish())
            }),
        }
    }
}

impl TailStream {
    /// # Errors
    /// 503 if there is no memory for what it waits for.
    pub(super) fn open(
        api: Arc<Api>,
        caller: Caller,
        tail: Tail,
        place: StreamShare,
    ) -> Result<Self, Problem> {
        let Tail { topic, positions, left_behind, limit } = tail;
        let client = caller.client();
        let memory = api.streams.memory_of_waits(client, topic.partitions.len())?;
        let is_at_end = |bounds: &&PartitionBounds| positions.get(bounds.partition) == bounds.high_watermark;
        let (at_end, mut ready): (Vec<_>, Vec<_>) = topic.partitions.iter().partition(is_at_end);
        // Not always the same one first: a client that comes back for a few records at a time shall see them all.
        let first = api.state.random.uuid().as_u128() % ready.len().max(1) as u128;
        ready.rotate_left(first as usize);
        let number = |bounds: &PartitionBounds| bounds.partition;
        let writer = TailWriter {
            api: Arc::clone(&api),
            client,
            caller,
            ready: ready.into_iter().map(number).collect(),
            read_to_end: at_end.into_iter().map(number).collect(),
            topic: topic.name,
            positions,
            left_behind,
            left: limit,
            is_over: limit == Some(0),
            rest: None,
        };
        Ok(Self {
            api,
            client,
            waits: FuturesUnordered::new(),
            writer: Some(writer),
            writing: JoinSet::new(),
            memory: None,
            _place: place,
            _memory: memory,
            _present: GaugeGuard::tail(),
        })
    }

    /// The next frame that says something; `None` at the end. Dropping the future loses nothing.
    async fn write_next(&mut self) -> Option<Bytes> {
        loop {
            if self.writer.is_some() && !self.begin_frame().await {
                return None;
            }
            let (mut writer, result) = match self.writing.join_next().await.expect("a task that writes") {
                Ok(written) => written,
                Err(failed) => std::panic::resume_unwind(failed.into_panic()),
            };
            self.wait_for_more(&mut writer);
            self.writer = Some(writer);
            match result {
                FrameResult::Frame(frame) if frame.is_empty() => {}
                FrameResult::Frame(frame) => return Some(frame),
                FrameResult::NeedsMemory(bytes) => {
                    self.memory = Some(self.api.streams.wait_for_memory(self.client, bytes).boxed());
                }
            }
        }
    }

    /// Waits until there is something to write, and begins to write it; false at the end.
    async fn begin_frame(&mut self) -> bool {
        let memory = match &mut self.memory {
            Some(memory) => Some(memory.await),
            None => None,
        };
        self.memory = None;
        let Some(mut writer) = self.writer.take().filter(|writer| !writer.is_over) else { return false };
        while let Some(Some(partition)) = self.waits.next().now_or_never() {
            writer.ready.push_back(partition);
        }
        if !writer.has_work() {
            self.writer = Some(writer);
            let Some(partition) = self.waits.next().await else { return false };
            writer = self.writer.take().expect("put back above");
            writer.ready.push_back(partition);
        }
        self.writing.spawn(writer.write_frame(memory));
        true
    }

    /// Waits for more of the partitions that were read to their end.
    fn wait_for_more(&self, writer: &mut TailWriter) {
        for partition in std::mem::take(&mut writer.read_to_end) {
            self.waits.push(self.wait_past(writer, partition));
        }
    }

    fn wait_past(&self, writer: &TailWriter, partition: PartitionId) -> BoxFuture<'static, PartitionId> {
        let (log, from): (Arc<dyn EventLog>, _) =
            (Arc::clone(&self.api.state.log), writer.positions.get(partition));
        let place = TopicPartition::new(writer.topic.clone(), partition);
        Box::pin(async move {
            log.wait_past(&place, from).await;
            partition
        })
    }
}
