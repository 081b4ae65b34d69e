//! Sealed segments that were read lately: their file handles and indexes, least recently used first out.
//!
//! Always holds: at most so many are open at once, over all logs. A reader keeps what it uses; eviction only
//! drops the cache's own reference.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use factum_types::Offset;
use parking_lot::Mutex;

use crate::disk::{Disk, DiskFile, read_file, write_cache};
use crate::epochs::Epochs;
use crate::index::SegmentIndex;
use crate::scan::{Extent, scan};
use crate::segment::Segment;
use crate::tail_cache::LogId;

/// A sealed segment, open.
#[derive(Clone)]
pub(crate) struct OpenSegment {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) index: Arc<SegmentIndex>,
    /// Whether the index was made from the log itself in this process, so that making it anew changes nothing.
    pub(crate) index_is_fresh: bool,
}

/// What it takes to open a segment of one log.
pub(crate) struct Opening<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) log: LogId,
    pub(crate) epochs: &'a Epochs,
    pub(crate) interval: u32,
}

pub(crate) struct OpenSegments {
    capacity: usize,
    cached: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    segments: HashMap<(LogId, Offset), (OpenSegment, u64)>,
    /// Counts the uses; the smallest count is the least recent.
    uses: u64,
}

impl OpenSegments {
    /// Keeps at most `capacity` segments open.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), cached: Mutex::default() }
    }

    /// The segment, opened if it is not; an index that is missing or not whole is rebuilt.
    pub(crate) fn get(&self, opening: &Opening<'_>, segment: &Segment) -> io::Result<OpenSegment> {
        if let Some(open) = self.cached.lock().get(&(opening.log, segment.base())) {
            return Ok(open);
        }
        let file = opening.disk.open(segment.path())?;
        let stored = read_file(opening.disk, &segment.index_path())?;
        let index = stored.and_then(|bytes| SegmentIndex::decode(&bytes)).filter(|index| {
            let (found, known) = (index.summary, segment.summary());
            found.base == known.base && found.next == known.next && found.bytes == known.bytes
        });
        match index {
            Some(index) => {
                let open = OpenSegment { file, index: Arc::new(index), index_is_fresh: false };
                self.insert(opening.log, segment.base(), open.clone());
                Ok(open)
            }
            None => self.rebuild(opening, segment, file),
        }
    }

    /// Makes the index from the log and stores it, because the stored one is missing or points to the wrong place.
    pub(crate) fn rebuild(
        &self,
        opening: &Opening<'_>,
        segment: &Segment,
        file: Arc<dyn DiskFile>,
    ) -> io::Result<OpenSegment> {
        let known = segment.summary();
        let extent = Extent { bytes: known.bytes.min(file.size()?), durable: u64::MAX };
        let mut index =
            scan(&*file, segment.base(), extent, Some(opening.epochs), opening.interval, |_| {})?.index;
        index.summary = known;
        if let Err(error) = write_cache(opening.disk, &segment.index_path(), &index.encode()) {
            tracing::warn!(path = %segment.index_path().display(), %error, "could not store a rebuilt index");
        }
        let open = OpenSegment { file, index: Arc::new(index), index_is_fresh: true };
        self.insert(opening.log, segment.base(), open.clone());
        Ok(open)
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

impl Cached {
    fn get(&mut self, key: &(LogId, Offset)) -> Option<OpenSegment> {
        self.uses += 1;
        let (open, used) = self.segments.get_mut(key)?;
        *used = self.uses;
        Some(open.clone())
    }
}
