//! Sealed segments that were read lately: their file handles and indexes, least recently used first out.
//!
//! Invariants: at most so many are open at once, over all logs. A reader keeps what it uses; eviction only
//! drops the cache's own reference.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use factum_types::Offset;
use parking_lot::Mutex;

use crate::disk::{Disk, DiskFile, read_file};
use crate::index::{SegmentIndex, Summary};
use crate::segment::Segment;
use crate::tail_cache::LogId;

/// A sealed segment, open.
#[derive(Clone)]
pub(crate) struct OpenSegment {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) index: Arc<SegmentIndex>,
}

/// What opening a segment gave.
pub(crate) enum SegmentOpening {
    /// Its file and the index beside it.
    WithIndex(OpenSegment),
    /// Its file; the index is missing or not whole.
    WithoutIndex(Arc<dyn DiskFile>),
}

pub(crate) struct OpenSegments {
    capacity: usize,
    cached: Mutex<CacheState>,
}

#[derive(Default)]
struct CacheState {
    segments: HashMap<(LogId, Offset), (OpenSegment, u64)>,
    /// Counts the uses; the smallest count is the least recent.
    uses: u64,
}

impl OpenSegments {
    /// Keeps at most `capacity` segments open.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), cached: Mutex::default() }
    }

    /// The segment of the log `log`, opened if it is not; `known` is its summary. The caller sees to it that it is not
    /// replaced meanwhile.
    pub(crate) fn get(
        &self,
        disk: &dyn Disk,
        log: LogId,
        segment: &Segment,
        known: &Summary,
    ) -> io::Result<SegmentOpening> {
        if let Some(open) = self.cached.lock().get(&(log, segment.base())) {
            return Ok(SegmentOpening::WithIndex(open));
        }
        let file = disk.open(&segment.path())?;
        let stored = read_file(disk, &segment.index_path())?;
        let index = stored.and_then(|bytes| SegmentIndex::decode(&bytes)).filter(|index| {
            let found = index.summary;
            found.base == known.base && found.next == known.next && found.bytes == known.bytes
        });
        let Some(index) = index else { return Ok(SegmentOpening::WithoutIndex(file)) };
        let open = OpenSegment { file, index: Arc::new(index) };
        self.insert(log, segment.base(), open.clone());
        Ok(SegmentOpening::WithIndex(open))
    }

    /// Keeps `open`, and lets go of what was used least recently.
    pub(crate) fn insert(&self, log: LogId, base: Offset, open: OpenSegment) {
        let mut cached = self.cached.lock();
        cached.uses += 1;
        let uses = cached.uses;
        cached.segments.insert((log, base), (open, uses));
        while cached.segments.len() > self.capacity {
            let oldest = cached.segments.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key);
            let Some(oldest) = oldest else { break };
            cached.segments.remove(&oldest);
        }
    }

    /// Lets go of one segment that is removed.
    pub(crate) fn forget(&self, log: LogId, base: Offset) {
        self.cached.lock().segments.remove(&(log, base));
    }

    /// Lets go of all segments of a log that is closed.
    pub(crate) fn forget_log(&self, log: LogId) {
        self.cached.lock().segments.retain(|(of, _), _| *of != log);
    }
}

impl CacheState {
    fn get(&mut self, key: &(LogId, Offset)) -> Option<OpenSegment> {
        self.uses += 1;
        let (open, used) = self.segments.get_mut(key)?;
        *used = self.uses;
        Some(open.clone())
    }
}
