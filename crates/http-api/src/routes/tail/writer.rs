//! The writer of a tail's frames, and its positions in the topic.
//!
//! Invariants: a frame is written by a task that is never paused, with a turn of [`Streams::read`]; what it leaves behind
//! is counted. Beside the frame that is a rest of the last chunk, in memory of its own, if there is room for it;
//! without room it is read again. A frame larger than [`UNCOUNTED_FRAME`] has memory, or is let go and written again
//! once it has. A topic that was deleted and created again is another one: the client is told of the gap, and nothing is
//! passed over.
//!
//! [`Streams::read`]: crate::http::streams::Streams::read

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_base::clients::ClientAddress;
use factum_eventlog::{Chunk, ReadError};
use factum_types::{Offset, PartitionId, TopicName, TopicPartition};
use serde_json::json;

use super::positions::{Positions, TopicIdentity};
use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::log_item::{LogItem, unreadable_view};
use crate::http::problem::Problem;
use crate::http::record_view::RecordView;
use crate::http::schema_reader::SchemaReader;
use crate::http::server_sent::{FRAME_BYTES, Frame};
use crate::http::streams::{TailMemory, UNCOUNTED_FRAME};

/// Bytes asked of the log at once.
const READ_BYTES: usize = 128 << 10;
/// Records of so many bytes are written where they arrive; more of them on a thread for blocking work.
const WRITTEN_AT_ONCE: usize = 4 << 10;

/// What came of writing a frame.
pub(super) enum FrameResult {
    /// The frame; nothing to send if it is empty.
    Frame(Bytes),
    /// The next record needs so many bytes of memory.
    NeedsMemory(usize),
}

/// A tail between two frames.
pub(super) struct TailWriter {
    pub(super) api: Arc<Api>,
    pub(super) client: ClientAddress,
    pub(super) caller: Caller,
    pub(super) topic: TopicName,
    pub(super) positions: Positions,
    /// Where the client had been in another topic of this name.
    pub(super) left_behind: Vec<(PartitionId, Offset)>,
    /// Records to send at most.
    pub(super) left: Option<u64>,
    pub(super) is_over: bool,
    /// Partitions that have something to read.
    pub(super) ready: VecDeque<PartitionId>,
    /// Partitions that have nothing more for now.
    pub(super) read_to_end: Vec<PartitionId>,
    pub(super) rest: Option<ChunkRest>,
}

/// What is left of a chunk.
pub(super) struct ChunkRest {
    partition: PartitionId,
    items: VecDeque<LogItem>,
    next: Offset,
    is_last: bool,
    memory: Option<TailMemory>,
}

/// A frame that items of a chunk are added to, and how far the tail is then.
struct FrameWriter {
    schemas: SchemaReader,
    frame: Frame,
    positions: Positions,
    left: Option<u64>,
    is_over: bool,
}

impl TailWriter {
    /// Whether there is something to write without waiting for the log.
    pub(super) fn has_work(&self) -> bool {
        self.rest.is_some() || !self.ready.is_empty()
    }

    /// Writes what the first frame says. An id without data is kept by the client, which can then reconnect before the
    /// first record.
    pub(super) fn begin(&mut self, frame: &mut Frame) {
        frame.position(&self.positions);
        for (partition, from) in std::mem::take(&mut self.left_behind) {
            let to = self.positions.get(partition);
            let reason = "the topic was deleted and created again";
            self.write_gap(partition, from, to, reason, frame);
        }
    }

    /// Writes a frame of what partitions have ready. `memory` is what an earlier attempt needed.
    pub(super) async fn write_frame(mut self, memory: Option<TailMemory>) -> (Self, FrameResult) {
        let api = Arc::clone(&self.api);
        let _turn = api.streams.read(self.client).await;
        let mut frame = Frame::default();
        while frame.len() < FRAME_BYTES && !self.is_over {
            let rest = match self.rest.take() {
                Some(rest) => Some(rest),
                None => match self.ready.pop_front() {
                    Some(partition) => self.read(partition, &mut frame).await,
                    None => break,
                },
            };
            let Some(rest) = rest else { continue };
            let (partition, from) = (rest.partition, self.positions.get(rest.partition));
            let left = self.left;
            let is_full = self.write(rest, &mut frame).await;
            if frame.len() > UNCOUNTED_FRAME {
                let bytes = frame.len();
                let has_enough = |memory: &TailMemory| memory.bytes() >= bytes;
                let memory = memory.filter(has_enough).or_else(|| api.streams.memory(self.client, bytes));
                let Some(memory) = memory else {
                    (self.left, self.is_over, self.rest) = (left, false, None);
                    self.positions.set(partition, from);
                    self.read_again(partition);
                    return (self, FrameResult::NeedsMemory(bytes));
                };
                self.keep_rest();
                return (self, FrameResult::Frame(frame.finish_with(memory)));
            }
            if is_full {
                break;
            }
        }
        self.keep_rest();
        (self, FrameResult::Frame(frame.finish()))
    }

    /// Reads a chunk of `partition`; what is wrong with it is written.
    async fn read(&mut self, partition: PartitionId, frame: &mut Frame) -> Option<ChunkRest> {
        let from = self.positions.get(partition);
        let place = TopicPartition::new(self.topic.clone(), partition);
        let read = self.api.log().read(&place, from, READ_BYTES, Duration::ZERO).await;
        let topic = match &read {
            Ok(chunk) => Ok(chunk.topic),
            // Offsets that are out of range may be so because they were another topic's.
            Err(_) => self.api.log().topic(&self.topic).await.map(|topic| topic.id),
        };
        match topic.map(TopicIdentity::from) {
            Ok(topic) if topic == self.positions.topic() => {}
            Ok(_) => {
                let reason = "the topic was deleted and created again while it was followed; connect again";
                return self.end(&Problem::conflict(reason), frame);
            }
            Err(error) => return self.end(&error.into(), frame),
        }
        match read {
            Ok(chunk) => Some(ChunkRest::of(partition, chunk)),
            Err(ReadError::OutOfRange { log_start, high_watermark, .. }) => {
                let (to, reason) = match from < log_start {
                    true => (log_start, "the records expired before they were read"),
                    false => (high_watermark, "the position is behind the end of the partition"),
                };
                self.positions.set(partition, to);
                self.write_gap(partition, from, to, reason, frame);
                self.read_again(partition);
                None
            }
            Err(error) => self.end(&Problem::from(error), frame),
        }
    }

    /// Adds items to `frame` and keeps what it does not take; true if the next item has no place in it.
    async fn write(&mut self, mut rest: ChunkRest, frame: &mut Frame) -> bool {
        let mut writer = FrameWriter {
            schemas: SchemaReader::new(self.api.state.registry.clone(), self.caller.clone()),
            frame: std::mem::take(frame),
            positions: std::mem::take(&mut self.positions),
            left: self.left,
            is_over: self.is_over,
        };
        let is_full;
        (rest, writer, is_full) = match rest.bytes() <= WRITTEN_AT_ONCE {
            true => writer.add(rest),
            false => self.api.responses.pieces().run(self.client, move || writer.add(rest)).await,
        };
        *frame = writer.frame;
        (self.positions, self.left, self.is_over) = (writer.positions, writer.left, writer.is_over);
        if !rest.items.is_empty() {
            self.rest = Some(rest);
        } else {
            // The chunk may end with offsets that no record has.
            self.positions.set(rest.partition, rest.next);
            match rest.is_last {
                true => self.read_to_end.push(rest.partition),
                false => self.ready.push_back(rest.partition),
            }
        }
        is_full
    }

    /// Keeps the rest of a chunk while the client takes the frame, if there is room for it.
    fn keep_rest(&mut self) {
        let Some(mut rest) = self.rest.take().filter(|_| !self.is_over) else { return };
        if rest.memory.is_none() {
            rest.memory = self.api.streams.memory(self.client, rest.bytes());
            if rest.memory.is_none() {
                return self.read_again(rest.partition);
            }
            rest.items = rest.items.into_iter().map(LogItem::unshared).collect();
        }
        self.rest = Some(rest);
    }

    /// Reads `partition` before others, from where the tail is in it.
    fn read_again(&mut self, partition: PartitionId) {
        self.ready.push_front(partition);
    }

    fn write_gap(&self, partition: PartitionId, from: Offset, to: Offset, reason: &str, frame: &mut Frame) {
        let gap = json!({
            "partition": partition, "from": from.to_string(), "to": to.to_string(), "reason": reason,
        });
        frame.event("gap", &self.positions, gap.to_string().as_bytes());
    }

    /// Ends with an error. Its event has no id of its own: a client that comes back does so with the last position.
    fn end(&mut self, problem: &Problem, frame: &mut Frame) -> Option<ChunkRest> {
        let problem = serde_json::to_vec(problem).expect("text and JSON values serialise");
        frame.event("error", &self.positions, &problem);
        self.is_over = true;
        None
    }
}

impl ChunkRest {
    fn of(partition: PartitionId, chunk: Chunk) -> Self {
        let (next, is_last) = (chunk.next, chunk.next >= chunk.high_watermark);
        Self { partition, items: LogItem::of(chunk).collect(), next, is_last, memory: None }
    }

    /// About the bytes that the items have together.
    fn bytes(&self) -> usize {
        self.items.iter().map(LogItem::size).sum()
    }
}

impl FrameWriter {
    /// Adds items until the frame is full, or the tail has all that it asked for; true if the next item has no place
    /// beside what the frame has.
    fn add(mut self, mut rest: ChunkRest) -> (ChunkRest, Self, bool) {
        while self.frame.len() < FRAME_BYTES && !self.is_over {
            let Some(item) = rest.items.pop_front() else { break };
            let (length, from) = (self.frame.len(), self.positions.get(rest.partition));
            self.positions.set(rest.partition, item.next());
            self.write(rest.partition, &item);
            if self.frame.len() > UNCOUNTED_FRAME && length > 0 {
                self.frame.truncate(length);
                self.positions.set(rest.partition, from);
                rest.items.push_front(item);
                return (rest, self, true);
            }
            if let (LogItem::Record(_), Some(left)) = (&item, &mut self.left) {
                *left -= 1;
                self.is_over = *left == 0;
            }
        }
        (rest, self, false)
    }

    fn write(&mut self, partition: PartitionId, item: &LogItem) {
        let (kind, data) = match item {
            LogItem::Unreadable(range) => (
                "unreadable",
                serde_json::to_vec(&unreadable_view(partition, range)).expect("text serialises"),
            ),
            LogItem::Record(record) => {
                ("record", RecordView::of(partition, record, &mut self.schemas).to_line())
            }
        };
        self.frame.event(kind, &self.positions, &data);
    }
}
