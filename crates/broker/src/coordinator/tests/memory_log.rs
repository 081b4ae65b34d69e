//! A log in memory: what is appended is on disk once [`MemoryLog::sync`] says so, and gone after a crash until then.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use factum_log::EndTransaction;
use factum_types::record::TransactionMarker;
use factum_types::{Offset, RecordBatch, Timestamp, TopicName, TopicPartition, batch};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::journal::LogError;
use crate::journal::log::{JournalLog, Progress};

/// Cloning gives another hand on the same log.
#[derive(Clone)]
pub(super) struct MemoryLog(Arc<Mutex<Inner>>);

struct Inner {
    /// The batches kept, with the offset of the first record of each.
    batches: Vec<(Offset, Bytes)>,
    end: Offset,
    is_held: bool,
    is_failing: bool,
    synced: watch::Sender<Offset>,
}

impl MemoryLog {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            batches: Vec::new(),
            end: Offset::ZERO,
            is_held: false,
            is_failing: false,
            synced: watch::Sender::new(Offset::ZERO),
        })))
    }

    /// From now on only [`MemoryLog::sync`] brings anything to disk.
    pub(super) fn hold(&self) {
        self.0.lock().is_held = true;
    }

    pub(super) fn sync(&self) {
        let inner = self.0.lock();
        inner.synced.send_replace(inner.end);
    }

    pub(super) fn fail(&self, fails: bool) {
        self.0.lock().is_failing = fails;
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.lock().batches.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Loses some of what was not on disk: `part` of 256 of it is kept. Gives the end that is left.
    pub(super) fn crash(&self, part: u8) -> Offset {
        let mut inner = self.0.lock();
        let synced = *inner.synced.borrow();
        let at_risk = inner.batches.iter().filter(|(base, _)| *base >= synced).count();
        let lost = at_risk - at_risk * usize::from(part) / 256;
        let keep = inner.batches.len() - lost;
        if let Some((base, _)) = inner.batches.get(keep) {
            inner.end = *base;
        }
        inner.batches.truncate(keep);
        inner.synced.send_replace(inner.end);
        inner.end
    }
}

impl JournalLog for MemoryLog {
    fn name(&self) -> TopicPartition {
        TopicPartition::new(TopicName::new("__consumer_offsets").expect("valid"), 0)
    }

    fn append(&self, mut batch: RecordBatch) -> Result<Offset, LogError> {
        let mut inner = self.0.lock();
        if inner.is_failing {
            return Err(LogError::new(std::io::Error::other("no space left")));
        }
        let base = inner.end;
        batch.place(base, 0);
        let last = Offset::new(batch.header().last_offset());
        inner.end = last.next();
        inner.batches.push((base, batch.freeze()));
        if !inner.is_held {
            inner.synced.send_replace(inner.end);
        }
        Ok(last)
    }

    fn end_transaction(&self, end: &EndTransaction) -> Result<Offset, LogError> {
        let marker =
            TransactionMarker { outcome: end.outcome, coordinator_epoch: end.coordinator_epoch, range: None };
        let now = Timestamp::from_millis(0);
        self.append(marker.batch(end.producer_id, end.producer_epoch, now))
    }

    fn durable(&self, last: Offset) -> BoxFuture<'static, Result<(), LogError>> {
        let mut synced = self.0.lock().synced.subscribe();
        Box::pin(async move {
            synced.wait_for(|synced| *synced > last).await.expect("the log outlives its readers");
            Ok(())
        })
    }

    fn read(&self, from: Offset) -> Result<Progress, LogError> {
        let inner = self.0.lock();
        let found = inner.batches.iter().filter(|(base, _)| *base >= from).take(2);
        let chunks: Vec<_> = found.map(|(_, bytes)| bytes.clone()).collect();
        Ok(if chunks.is_empty() { Progress::End } else { Progress::Batches(chunks) })
    }

    fn start(&self) -> Offset {
        let inner = self.0.lock();
        inner.batches.first().map_or(inner.end, |(base, _)| *base)
    }

    fn end(&self) -> Offset {
        self.0.lock().end
    }

    fn stable(&self) -> Offset {
        let inner = self.0.lock();
        let mut open = BTreeMap::new();
        for (base, bytes) in &inner.batches {
            let (_, header) = batch::headers(bytes).next().expect("one batch").expect("a sound one");
            if header.is_control() {
                open.remove(&header.producer_id);
            } else if header.is_transactional() {
                open.entry(header.producer_id).or_insert(*base);
            }
        }
        open.into_values().min().unwrap_or(inner.end)
    }

    fn truncate_before(&self, offset: Offset) -> Result<(), LogError> {
        // Keeps a batch more than it has to, as segments do.
        let mut inner = self.0.lock();
        let before = inner.batches.iter().filter(|(base, _)| *base < offset).count();
        inner.batches.drain(..before.saturating_sub(1));
        Ok(())
    }
}
