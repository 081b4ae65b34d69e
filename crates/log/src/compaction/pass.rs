//! One pass: the latest offsets of dirty keys are collected, then groups of segments are rewritten in their order.

use std::collections::HashMap;
use std::sync::Arc;

use factum_types::record::StoredRecords;
use factum_types::{BatchHeader, Offset, Timestamp};

use crate::append::MOST_ABORTED;
use crate::commit::snapshots;
use crate::damage::Fault;
use crate::disk::DiskFile;
use crate::index::{Place, SegmentIndex};
use crate::open_segments::OpenSegment;
use crate::partition_log::LogInner;
use crate::read::Source;
use crate::segment::Segment;
use crate::swap_file::SwapFile;
use crate::transactions::AbortedRanges;
use crate::walk::{Stop, Walk};

use super::decision::{BatchFate, Decider};
use super::key_map::KeyMap;
use super::segment_writer::SegmentWriter;
use super::swap::OldSegment;
use super::{CompactError, CompactionOptions, CompactionResult};

const READ_AHEAD: usize = 1 << 20;
/// Segments that become one at most: all of them are open meanwhile.
const MOST_NEIGHBOURS: usize = 32;
/// Bytes read between two calls of `pace`.
const PACE_BYTES: u64 = 256 << 10;

/// Compacts `segments`, of which at least one is dirty.
pub(super) fn run(
    log: &LogInner,
    options: CompactionOptions,
    now: Timestamp,
    memory: usize,
    pace: &mut dyn FnMut(u64) -> bool,
    segments: &[Arc<Segment>],
) -> Result<CompactionResult, CompactError> {
    let dirty_from = log.compacted.get().max(segments[0].base());
    // Read before anything is judged: what is appended later is beyond this pass.
    let producers = log.writer.lock().producers.last_offsets().collect();
    let names = log.environment.disk.list(&log.dir)?;
    let snapshot = snapshots(&names).first().copied();
    let decider = Decider {
        options,
        now,
        keys: KeyMap::new(memory),
        dirty_from,
        until: dirty_from,
        producers,
        snapshot,
        transactions: HashMap::new(),
        counts: CompactionResult::default(),
    };
    let mut pass = Pass { log, decider, pace: Pace { pace, bytes: 0 } };
    pass.collect_keys(segments)?;
    let until = pass.decider.until;
    let due = segments.partition_point(|segment| segment.base() < until);
    // Not within the loop's head: the lock would be held for the whole pass, and settings that change meanwhile would wait
    // for it, and the pass for them.
    let segment_bytes = log.options.read().segment_bytes;
    for group in groups(&segments[..due], segment_bytes) {
        pass.rewrite(group)?;
    }
    Ok(CompactionResult { until, ..pass.decider.counts })
}

struct Pass<'a> {
    log: &'a LogInner,
    decider: Decider,
    pace: Pace<'a>,
}

/// What became of neighbouring segments.
struct WrittenGroup {
    old: Vec<OldSegment>,
    file: Arc<dyn DiskFile>,
    index: SegmentIndex,
    /// Whether it is anything else than what was there.
    is_changed: bool,
}

/// Tells the caller now and then how far a pass is.
struct Pace<'a> {
    pace: &'a mut dyn FnMut(u64) -> bool,
    bytes: u64,
}

impl Pace<'_> {
    fn read(&mut self, bytes: usize) -> Result<(), CompactError> {
        self.bytes += bytes as u64;
        if self.bytes < PACE_BYTES {
            return Ok(());
        }
        match (self.pace)(std::mem::take(&mut self.bytes)) {
            true => Ok(()),
            false => Err(CompactError::Stopped),
        }
    }
}

impl Pass<'_> {
    /// Takes note of the keys of all dirty records, or of the first of them if there are too many.
    fn collect_keys(&mut self, segments: &[Arc<Segment>]) -> Result<(), CompactError> {
        let dirty_from = self.decider.dirty_from;
        for segment in segments.iter().filter(|segment| segment.summary().next > dirty_from) {
            let (keys, until) = (&mut self.decider.keys, &mut self.decider.until);
            let is_room = visit(self.log, &mut self.pace, segment, |header, bytes, aborted| {
                if header.base_offset < dirty_from.get() {
                    return Ok(true);
                }
                let has_room = aborted.contains(header) || header.is_control() || put_keys(keys, bytes);
                // One batch with more keys than there is room for is passed over: those that are not known stay.
                if has_room || *until == dirty_from {
                    *until = Offset::new(header.last_offset()).next();
                }
                Ok(has_room)
            })?;
            if is_room.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Rewrites neighbouring segments as one.
    fn rewrite(&mut self, group: &[Arc<Segment>]) -> Result<(), CompactError> {
        let next = group[group.len() - 1].summary().next;
        let swap = SwapFile { base: group[0].base(), next };
        let file = self.log.create_swap(swap)?;
        let written = self.write(group, file).and_then(|written| {
            let (after, is_needed) = (written.index.summary.bytes, written.is_changed || group.len() > 1);
            if is_needed {
                written.file.sync()?;
                self.log.swap(swap, written.old, (written.file, written.index))?;
            }
            Ok((after, is_needed))
        });
        let (after, is_needed) = written.inspect_err(|_| self.log.remove_swap(swap))?;
        if !is_needed {
            self.log.remove_swap(swap);
        }
        let counts = &mut self.decider.counts;
        counts.bytes_before += bytes_of(group);
        counts.bytes_after += after;
        counts.segments_before += group.len();
        counts.segments_after += 1;
        Ok(())
    }

    /// Writes what stays of a group to `file`.
    fn write(
        &mut self,
        group: &[Arc<Segment>],
        file: Arc<dyn DiskFile>,
    ) -> Result<WrittenGroup, CompactError> {
        let interval = self.log.options.read().index_interval_bytes;
        let appended_at = group.iter().map(|segment| segment.summary().appended_at).max();
        let appended_at = appended_at.unwrap_or(Timestamp::NONE);
        let mut writer = SegmentWriter::new(file, group[0].base(), appended_at, interval);
        let (mut old, mut is_changed) = (Vec::new(), false);
        for segment in group {
            let decider = &mut self.decider;
            let mut gaps = 0;
            let open = visit(self.log, &mut self.pace, segment, |header, bytes, aborted| {
                match decider.decide(header, bytes, aborted) {
                    BatchFate::Stays => {
                        gaps = 0;
                        writer.write(bytes)?;
                    }
                    BatchFate::Becomes(batch) => {
                        (gaps, is_changed) = (0, true);
                        writer.write(&batch)?;
                    }
                    BatchFate::Goes => {
                        gaps += 1;
                        // A gap that was there alone comes out as it was.
                        is_changed |= !header.is_gap() || gaps > 1;
                        writer.leave_out(header)?;
                    }
                }
                Ok(true)
            })?;
            let open = open.expect("nothing stops it");
            old.push(OldSegment { segment: Arc::clone(segment), open });
        }
        let (file, index) = writer.finish()?;
        Ok(WrittenGroup { old, file, index, is_changed })
    }
}

/// Shows every batch of a segment, verified, to `see`, which says whether to go on; gives the open segment if it did.
fn visit(
    log: &LogInner,
    pace: &mut Pace<'_>,
    segment: &Segment,
    mut see: impl FnMut(&BatchHeader, &[u8], &AbortedRanges) -> std::io::Result<bool>,
) -> Result<Option<OpenSegment>, CompactError> {
    let summary = segment.summary();
    let begin = |_: &SegmentIndex| Place { offset: summary.base, position: 0 };
    let source = log.source(segment, begin).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound if summary.next <= log.log_start.get() => CompactError::Removed,
        _ => error.into(),
    })?;
    let epochs = log.epochs();
    let aborted = AbortedRanges::new(&log.aborted(summary.base, summary.next)?);
    let mut walk =
        Walk::new(&*source.file, summary.base, Some(&epochs), source.place, summary.bytes, READ_AHEAD);
    loop {
        let place = walk.place();
        let (header, bytes) = match walk.verified() {
            Ok(Some(found)) => found,
            Ok(None) if place.offset == summary.next => break,
            Ok(None) => {
                return Err(damaged(
                    log,
                    segment,
                    &source,
                    walk.damaged(Fault::Short { next: summary.next }),
                ));
            }
            Err(stop) => return Err(damaged(log, segment, &source, stop)),
        };
        if !see(&header, bytes, &aborted)? {
            return Ok(None);
        }
        pace.read(header.encoded_len())?;
        walk.step(&header);
    }
    let index = source.index.expect("a sealed segment is opened with its index");
    Ok(Some(OpenSegment { file: source.file, index }))
}

/// Has damage told, as a reader that meets it would.
fn damaged(log: &LogInner, segment: &Segment, source: &Source, stop: Stop) -> CompactError {
    if matches!(stop, Stop::Damaged(_))
        && let Err(error) = log.examined(segment, source, |_| source.place)
    {
        return error.into();
    }
    log.explain(stop, segment.base().max(log.log_start.get())).into()
}

/// Takes note of the keys of a batch; false if there was no room for all. A batch that cannot be read has none.
fn put_keys(keys: &mut KeyMap, bytes: &[u8]) -> bool {
    let Ok(records) = StoredRecords::unpack(bytes) else { return true };
    let mut readable = records.iter().map_while(Result::ok);
    readable.all(|record| record.key.is_none_or(|key| keys.put(key, record.offset)))
}

/// Neighbours that fit one segment.
fn groups(segments: &[Arc<Segment>], segment_bytes: u64) -> Vec<&[Arc<Segment>]> {
    let limit = segment_bytes.min(u64::from(u32::MAX));
    let (mut groups, mut first) = (Vec::new(), 0);
    let (mut bytes, mut aborted) = (0, 0);
    for (at, segment) in segments.iter().enumerate() {
        let summary = segment.summary();
        bytes += summary.bytes;
        aborted += summary.aborted.map_or(0, |aborted| aborted.count);
        let offsets = summary.next.since(segments[first].base());
        let fits = bytes <= limit && aborted <= MOST_ABORTED && offsets <= i64::from(i32::MAX);
        if at > first && (!fits || at - first == MOST_NEIGHBOURS) {
            groups.push(&segments[first..at]);
            (first, bytes) = (at, summary.bytes);
            aborted = summary.aborted.map_or(0, |aborted| aborted.count);
        }
    }
    if first < segments.len() {
        groups.push(&segments[first..]);
    }
    groups
}

fn bytes_of(group: &[Arc<Segment>]) -> u64 {
    group.iter().map(|segment| segment.summary().bytes).sum()
}
