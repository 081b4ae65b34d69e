//! The frames of one tail, made one at a time as the client takes them.
//!
//! Invariants: beside a frame a tail holds records only as far as the memory of all tails has room for them; what
//! has none is read again when the client has taken the frame. A topic that was deleted and created again is another
//! one: the client is told of the gap, and nothing is passed over.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_base::clients::ClientAddress;
use factum_eventlog::{Chunk, EventLog, ReadError};
use factum_types::{Offset, PartitionId, TopicName, TopicPartition};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use serde_json::json;
use tokio::time::timeout;

use super::positions::{Positions, TopicIdentity};
use crate::api::Api;
use crate::http::log_item::{LogItem, unreadable_view};
use crate::http::problem::Problem;
use crate::http::record_view::RecordView;
use crate::http::server_sent::{FRAME_BYTES, Frame, Frames, KEEP_ALIVE};
use crate::http::streams::{StreamPlace, TailMemory};
use crate::metrics::GaugeGuard;

/// Bytes asked of the log at once.
const READ_BYTES: usize = 128 << 10;
/// Records of so many bytes are written where they arrive.
const WRITTEN_AT_ONCE: usize = 4 << 10;
/// How long one read waits in the log before it is asked again.
const READ_WAIT: Duration = Duration::from_secs(60);

type PendingRead = BoxFuture<'static, (PartitionId, Offset, Result<Chunk, ReadError>)>;

/// What a tail is to follow.
pub(super) struct Tail {
    pub(super) topic: TopicName,
    pub(super) partitions: Vec<PartitionId>,
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
    topic: TopicName,
    /// One read for each partition, minus that of the chunk being sent. Each is polled only when a frame is
    /// wanted, and the first that gives a chunk stops the polling.
    reads: FuturesUnordered<PendingRead>,
    sending: Option<ChunkInFlight>,
    positions: Positions,
    left_behind: Vec<(PartitionId, Offset)>,
    left: Option<u64>,
    is_over: bool,
    _place: StreamPlace,
    _present: GaugeGuard,
}

/// A chunk of which some items are still to be sent.
struct ChunkInFlight {
    partition: PartitionId,
    items: std::vec::IntoIter<LogItem>,
    /// About the bytes that the items had together.
    bytes: usize,
    next: Offset,
    /// Room for it in the memory of all tails; without it, the rest is let go with the frame.
    room: Option<TailMemory>,
}

/// A frame being written, and how far the tail is then.
struct FrameWriter {
    frame: Frame,
    positions: Positions,
    left: Option<u64>,
    is_over: bool,
}

impl Frames for TailStream {
    fn begin(&mut self, frame: &mut Frame) {
        // An id without data is kept by the client, which can then reconnect before the first record.
        frame.position(&self.positions);
        self.tell_left_behind(frame);
    }

    async fn next_frame(&mut self) -> Option<Bytes> {
        let mut frame = Frame::default();
        while frame.is_empty() && !self.is_over {
            if self.sending.is_none() {
                let stop = self.api.stop.clone();
                let read = tokio::select! {
                    biased;
                    () = stop.requested() => return None,
                    read = timeout(KEEP_ALIVE, self.reads.next()) => read,
                };
                match read {
                    Err(_) => frame.comment("keep-alive"),
                    Ok(None) => self.is_over = true,
                    Ok(Some((partition, from, read))) => self.take(partition, from, read, &mut frame).await,
                }
            }
            self.fill(&mut frame).await;
        }
        self.let_go();
        (!frame.is_empty()).then(|| frame.finish())
    }
}

impl TailStream {
    pub(super) fn new(api: Arc<Api>, client: ClientAddress, tail: Tail, place: StreamPlace) -> Self {
        let Tail { topic, partitions, positions, left_behind, limit } = tail;
        let feed = Self {
            api,
            client,
            topic,
            reads: FuturesUnordered::new(),
            sending: None,
            positions,
            left_behind,
            left: limit,
            is_over: limit == Some(0),
            _place: place,
            _present: GaugeGuard::tail(),
        };
        partitions.into_iter().for_each(|partition| feed.read_on(partition));
        feed
    }

    /// Says which records of the topic before this one the client has not seen.
    fn tell_left_behind(&mut self, frame: &mut Frame) {
        for (partition, from) in std::mem::take(&mut self.left_behind) {
            let to = self.positions.get(partition);
            let reason = "the topic was deleted and created again";
            self.tell_gap(partition, from, to, reason, frame);
        }
    }

    fn tell_gap(&self, partition: PartitionId, from: Offset, to: Offset, reason: &str, frame: &mut Frame) {
        let gap = json!({
            "partition": partition, "from": from.to_string(), "to": to.to_string(), "reason": reason,
        });
        frame.event("gap", &self.positions, gap.to_string().as_bytes());
    }

    /// Writes what is at hand, and what other partitions have ready, until the frame is full.
    async fn fill(&mut self, frame: &mut Frame) {
        while frame.len() < FRAME_BYTES && !self.is_over {
            if let Some(sending) = self.sending.take() {
                self.write(sending, frame).await;
                continue;
            }
            match self.reads.next().now_or_never() {
                Some(Some((partition, from, read))) => self.take(partition, from, read, frame).await,
                Some(None) | None => return,
            }
        }
    }

    /// Writes items of a chunk until the frame is full; many of them on a thread for blocking work.
    async fn write(&mut self, sending: ChunkInFlight, frame: &mut Frame) {
        let writing = FrameWriter {
            frame: std::mem::take(frame),
            positions: std::mem::take(&mut self.positions),
            left: self.left,
            is_over: self.is_over,
        };
        let (sending, writing) = match sending.bytes <= WRITTEN_AT_ONCE {
            true => {
                // Others have their turn between two frames, however much there is to say.
                tokio::task::yield_now().await;
                writing.write(sending)
            }
            false => self.api.responses.pieces().run(move || writing.write(sending)).await,
        };
        *frame = writing.frame;
        (self.positions, self.left, self.is_over) = (writing.positions, writing.left, writing.is_over);
        if sending.items.as_slice().is_empty() {
            // The chunk may end with offsets that no record has.
            self.positions.set(sending.partition, sending.next);
            self.read_on(sending.partition);
        } else {
            self.sending = Some(sending);
        }
    }

    /// Lets go of records for which there is no room while the client takes its time: they are read again.
    fn let_go(&mut self) {
        let has_room = |sending: &ChunkInFlight| sending.room.is_some();
        if self.is_over || self.sending.as_ref().is_none_or(has_room) {
            return;
        }
        if let Some(ChunkInFlight { partition, .. }) = self.sending.take() {
            self.read_on(partition);
        }
    }

    async fn take(
        &mut self,
        partition: PartitionId,
        from: Offset,
        read: Result<Chunk, ReadError>,
        frame: &mut Frame,
    ) {
        let api = Arc::clone(&self.api);
        match api.log().topic(&self.topic).await.map(|topic| TopicIdentity::from(topic.id)) {
            Ok(topic) if topic == self.positions.topic() => {}
            Ok(_) => {
                let reason = "the topic was deleted and created again while it was followed; connect again";
                return self.end(&Problem::conflict(reason), frame);
            }
            Err(error) => return self.end(&error.into(), frame),
        }
        match read {
            Ok(chunk) => {
                let next = chunk.next;
                let items: Vec<_> = LogItem::of(chunk).collect();
                let bytes = items.iter().map(LogItem::size).sum();
                let (items, room) = (items.into_iter(), self.api.streams.memory(self.client, bytes));
                self.sending = Some(ChunkInFlight { partition, items, bytes, next, room });
            }
            Err(ReadError::OutOfRange { log_start, high_watermark, .. }) => {
                let (to, reason) = match from < log_start {
                    true => (log_start, "the records expired before they were read"),
                    false => (high_watermark, "the position is behind the end of the partition"),
                };
                self.positions.set(partition, to);
                self.tell_gap(partition, from, to, reason, frame);
                self.read_on(partition);
            }
            Err(error) => self.end(&Problem::from(error), frame),
        }
    }

    /// Ends with an error. Its event has no id of its own: a client that comes back does so with the last position.
    fn end(&mut self, problem: &Problem, frame: &mut Frame) {
        let problem = serde_json::to_vec(problem).expect("text and JSON values serialise");
        frame.event("error", &self.positions, &problem);
        self.is_over = true;
    }

    fn read_on(&self, partition: PartitionId) {
        let (log, from): (Arc<dyn EventLog>, _) =
            (Arc::clone(&self.api.state.log), self.positions.get(partition));
        let place = TopicPartition::new(self.topic.clone(), partition);
        self.reads.push(Box::pin(async move {
            (partition, from, log.read(&place, from, READ_BYTES, READ_WAIT).await)
        }));
    }
}

impl FrameWriter {
    /// Writes items until the frame is full, or the tail has all that it asked for.
    fn write(mut self, mut sending: ChunkInFlight) -> (ChunkInFlight, Self) {
        while self.frame.len() < FRAME_BYTES && !self.is_over {
            let Some(item) = sending.items.next() else { break };
            self.positions.set(sending.partition, item.next());
            self.tell(sending.partition, item);
        }
        (sending, self)
    }

    fn tell(&mut self, partition: PartitionId, item: LogItem) {
        match item {
            LogItem::Unreadable(range) => {
                let view = serde_json::to_vec(&unreadable_view(partition, &range)).expect("text serialises");
                self.frame.event("unreadable", &self.positions, &view);
            }
            LogItem::Record(record) => {
                self.frame.event("record", &self.positions, &RecordView::of(partition, &record).to_line());
                if let Some(left) = &mut self.left {
                    *left -= 1;
                    self.is_over = *left == 0;
                }
            }
        }
    }
}
