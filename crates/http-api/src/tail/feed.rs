//! The frames of one tail, made one at a time as the client takes them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_base::tasks::Stop;
use factum_eventlog::{Chunk, EventLog, ReadError};
use factum_types::{Offset, PartitionId, Record, TopicName, TopicPartition};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::timeout;

use super::positions::Positions;
use crate::metrics::Present;
use crate::problem::Problem;
use crate::record_view::RecordView;
use crate::server_sent::{FRAME_BYTES, Frame, Frames, KEEP_ALIVE};

/// Encoded bytes asked of the log at once.
const READ_BYTES: usize = 256 << 10;
/// How long one read waits in the log before it is asked again.
const READ_WAIT: Duration = Duration::from_secs(60);

type Read = BoxFuture<'static, (PartitionId, Offset, Result<Chunk, ReadError>)>;

/// A tail under way.
pub(super) struct Feed {
    log: Arc<dyn EventLog>,
    topic: TopicName,
    /// One read for each partition, minus that of the chunk being sent. Each is polled only when a frame is
    /// wanted, and the first that gives a chunk stops the polling.
    reads: FuturesUnordered<Read>,
    sending: Option<Sending>,
    positions: Positions,
    left: Option<u64>,
    stop: Stop,
    is_begun: bool,
    is_over: bool,
    _present: Present,
}

/// A chunk of which some records are still to be sent.
struct Sending {
    partition: PartitionId,
    records: std::vec::IntoIter<Record>,
    next: Offset,
}

impl Frames for Feed {
    async fn next_frame(&mut self) -> Option<Bytes> {
        let mut frame = Frame::default();
        if !self.is_begun {
            self.is_begun = true;
            // An id without data is kept by the client, which can then reconnect before the first record.
            frame.position(&self.positions);
            return Some(frame.finish());
        }
        while frame.is_empty() && !self.is_over {
            if self.sending.is_none() {
                let stop = self.stop.clone();
                let read = tokio::select! {
                    biased;
                    () = stop.requested() => return None,
                    read = timeout(KEEP_ALIVE, self.reads.next()) => read,
                };
                match read {
                    Err(_) => frame.comment("keep-alive"),
                    Ok(None) => self.is_over = true,
                    Ok(Some((partition, from, read))) => self.take(partition, from, read, &mut frame),
                }
            }
            self.fill(&mut frame);
        }
        (!frame.is_empty()).then(|| frame.finish())
    }
}

impl Feed {
    pub(super) fn new(
        log: Arc<dyn EventLog>,
        topic: TopicName,
        partitions: Vec<PartitionId>,
        positions: Positions,
        limit: Option<u64>,
        stop: Stop,
    ) -> Self {
        let is_over = limit == Some(0);
        let (reads, present) = (FuturesUnordered::new(), Present::tail());
        let feed = Self {
            log,
            topic,
            reads,
            sending: None,
            positions,
            left: limit,
            stop,
            is_begun: false,
            is_over,
            _present: present,
        };
        partitions.into_iter().for_each(|partition| feed.read_on(partition));
        feed
    }

    /// Writes what is at hand, and what other partitions have ready, until the frame is full.
    fn fill(&mut self, frame: &mut Frame) {
        while frame.len() < FRAME_BYTES && !self.is_over {
            if self.sending.is_some() {
                self.send_one(frame);
                continue;
            }
            match self.reads.next().now_or_never() {
                Some(Some((partition, from, read))) => self.take(partition, from, read, frame),
                Some(None) | None => return,
            }
        }
    }

    fn send_one(&mut self, frame: &mut Frame) {
        let Some(sending) = &mut self.sending else { return };
        let partition = sending.partition;
        let Some(record) = sending.records.next() else {
            self.positions.set(partition, sending.next);
            self.sending = None;
            self.read_on(partition);
            return;
        };
        self.positions.set(partition, record.offset.next());
        frame.event("record", &self.positions, &RecordView::of(partition, &record).to_line());
        if let Some(left) = &mut self.left {
            *left -= 1;
            self.is_over = *left == 0;
        }
    }

    fn take(
        &mut self,
        partition: PartitionId,
        from: Offset,
        read: Result<Chunk, ReadError>,
        frame: &mut Frame,
    ) {
        match read {
            Ok(chunk) => {
                let (records, next) = (chunk.records.into_iter(), chunk.next);
                self.sending = Some(Sending { partition, records, next });
            }
            Err(ReadError::OutOfRange { log_start, high_watermark, .. }) => {
                let to = if from < log_start { log_start } else { high_watermark };
                self.positions.set(partition, to);
                let data = format!(r#"{{"partition":{partition},"from":"{from}","to":"{to}"}}"#);
                frame.event("gap", &self.positions, data.as_bytes());
                self.read_on(partition);
            }
            Err(error) => {
                let problem =
                    serde_json::to_vec(&Problem::from(error)).expect("text and JSON values serialise");
                frame.event("error", &self.positions, &problem);
                self.is_over = true;
            }
        }
    }

    fn read_on(&self, partition: PartitionId) {
        let (log, from) = (Arc::clone(&self.log), self.positions.get(partition));
        let place = TopicPartition::new(self.topic.clone(), partition);
        self.reads.push(Box::pin(async move {
            (partition, from, log.read(&place, from, READ_BYTES, READ_WAIT).await)
        }));
    }
}
