//! Inspection: everything that a partition's directory holds, read and judged without changing anything.
//!
//! A start believes what it may believe; an inspection reads every batch of every segment. It judges by the rules of
//! recovery: what is damage here puts the log in quarantine, and what is a torn tail here is cut off at the next start.
//!
//! Invariants
//! - Nothing is written, made, renamed or removed; files are opened for reading alone.
//! - An inspection goes on behind damage, to the next whole batch. Memory is bounded by one batch, as long as its header
//!   says, and the ranges of damage, at most 1,024 in a segment.
//! - Beside a running log it is safe, and what was acknowledged before it began is judged right: the checkpoint and the
//!   names are read until neither changed meanwhile. A tail that is being written may look torn.

use std::io;
use std::path::Path;
use std::sync::Arc;

use factum_types::batch::HEADER_BYTES;
use factum_types::{BatchHeader, Offset};

use crate::compaction::COMPACTED;
use crate::damage::Fault;
use crate::disk::{Disk, DiskFile, printable_name, read_file, read_fully};
use crate::epochs::Epochs;
use crate::index::{Place, SegmentIndex};
use crate::misnamed::true_base_of;
use crate::partition_log::{CHECKPOINT, EPOCHS};
use crate::recovery::inventory::{Inventory, TEMPORARY};
use crate::repair::DAMAGED_BYTES;
use crate::scan::{Extent, Scan};
use crate::segment::{base_of, log_path};
use crate::segment_damage::{all_ranges, scan_against};
use crate::swap_file::SwapFile;

/// How often a picture that moves is taken.
const ATTEMPTS: usize = 10;
/// Bytes between two entries of an index made only to be dropped.
const INDEX_INTERVAL: u32 = 1 << 20;

/// What a partition's directory holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The first offset kept.
    pub log_start: Offset,
    /// Behind the last offset that was given out, as far as that is known.
    pub log_end: Offset,
    /// Up to where everything was acknowledged; `None` if neither checkpoint nor note of it can be read.
    pub synced_end: Option<Offset>,
    /// Its segments in offset order.
    pub segments: Vec<SegmentInspection>,
    /// What is damaged, in offset order. Empty if the log is sound.
    pub damage: Vec<DamagedOffsets>,
    /// What needs no action, but explains what is there.
    pub notes: Vec<InspectionNote>,
    /// Which leader epoch ruled where, by the list or else by the batches; `None` if there is no log.
    pub(crate) epochs: Option<Epochs>,
}

/// One segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentInspection {
    /// Offset of its first record, and the file's name.
    pub base_offset: Offset,
    /// Behind its last whole batch.
    pub next_offset: Offset,
    /// Bytes of the `.log` file.
    pub bytes: u64,
    /// Whole batches.
    pub batches: u64,
}

/// Offsets whose records are not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedOffsets {
    /// Base offset of the segment, which is its file's name.
    pub segment: Offset,
    /// Where the damaged bytes begin in that file.
    pub byte: u64,
    /// How many there are; 0 if a file or its end is missing.
    pub bytes: u64,
    /// The first offset that is lost.
    pub from: Offset,
    /// Behind the last one. Equal to `from` where a file is missing that held no record.
    pub next: Offset,
    /// Whether any of them was acknowledged, or may have been.
    pub is_acknowledged: bool,
    /// What is wrong.
    pub fault: Fault,
}

/// Something that is no damage: a start deals with it by itself, or passes it over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectionNote {
    /// Bytes behind everything that was acknowledged that are no whole batch.
    #[error(
        "{bytes} bytes at byte {byte} of {segment:020}.log were never acknowledged; the next start cuts them off"
    )]
    TornTail {
        /// Base offset of the segment.
        segment: i64,
        /// Where they begin.
        byte: u64,
        /// How many.
        bytes: u64,
    },
    /// A segment behind a torn one.
    #[error("{segment:020}.log was never acknowledged; the next start removes it")]
    UnacknowledgedSegment {
        /// Its base offset.
        segment: i64,
    },
    /// A segment below the log start.
    #[error("{segment:020}.log lies below the log start; the next start removes it")]
    ExpiredSegment {
        /// Its base offset.
        segment: i64,
    },
    /// Offsets without records, where a repair gave damage up.
    #[error("{} no records: a repair gave up what was there", hold(*from, *next))]
    GivenUp {
        /// The first.
        from: Offset,
        /// Behind the last.
        next: Offset,
    },
    /// A compacted segment that a crash kept from its place.
    #[error("compaction of offsets {from} to {next} was interrupted; the next start finishes it")]
    UnfinishedCompaction {
        /// The first.
        from: Offset,
        /// Behind the last.
        next: Offset,
    },
    /// A sealed segment's index.
    #[error("{segment:020}.index is {state}; it is rebuilt from the log")]
    Index {
        /// Base offset of the segment.
        segment: i64,
        /// What is wrong with it.
        state: &'static str,
    },
    /// The checkpoint, or one of its slots.
    #[error("the checkpoint is {state}; a start reads more than it would have to")]
    Checkpoint {
        /// What is wrong with it.
        state: &'static str,
    },
    /// The list of leader epochs.
    #[error("leader-epochs is missing or not whole; it is rebuilt from the log")]
    LeaderEpochs,
    /// A file that is half written.
    #[error("{} is half written; the next start removes it", printable_name(name))]
    HalfWritten {
        /// Its name.
        name: String,
    },
    /// A name that no log gives to a file.
    #[error("{} is none of the log's files; it is passed over", printable_name(name))]
    Foreign {
        /// The name.
        name: String,
    },
}

/// Reads the log in `dir`, which another process may be using, without changing anything. Blocks on the disk for as
/// long as it takes to read all of it.
///
/// # Errors
/// Any error of the disk: what could not be read is then not known. Damage is no error.
pub fn inspect(disk: &dyn Disk, dir: &Path) -> io::Result<Inspection> {
    let mut attempts = 1..ATTEMPTS;
    loop {
        match picture(disk, dir).and_then(|inventory| Inspector::new(disk, dir, &inventory).inspect()) {
            // Retention removed a segment meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempts.next().is_some() => {}
            inspection => return inspection,
        }
    }
}

/// What the directory holds at one moment, unless it never stands still.
fn picture(disk: &dyn Disk, dir: &Path) -> io::Result<Inventory> {
    let take = || {
        let mut inventory = Inventory::read(disk, dir)?;
        inventory.names.sort_unstable();
        io::Result::Ok(inventory)
    };
    let mut last = take()?;
    for _ in 1..ATTEMPTS {
        let next = take()?;
        if (&next.names, next.checkpoint) == (&last.names, last.checkpoint) {
            return Ok(last);
        }
        last = next;
    }
    Ok(last)
}

struct Inspector<'a> {
    disk: &'a dyn Disk,
    dir: &'a Path,
    inventory: &'a Inventory,
    /// Rebuilt from the batches if the list is lost.
    observed: Epochs,
    found: Inspection,
}

/// A segment that is there, or should be.
#[derive(Clone, Copy)]
struct ExpectedSegment {
    base: Offset,
    is_there: bool,
    /// Where the next one begins.
    next: Option<Offset>,
}

impl<'a> Inspector<'a> {
    fn new(disk: &'a dyn Disk, dir: &'a Path, inventory: &'a Inventory) -> Self {
        let observed = Epochs::starting_at(inventory.bases.first().copied().unwrap_or(Offset::ZERO));
        Self { disk, dir, inventory, observed, found: Inspection::default() }
    }

    fn inspect(mut self) -> io::Result<Inspection> {
        self.look_at_names();
        let durable = self.inventory.durable;
        self.found.synced_end = durable.map(|mark| mark.offset);
        let expected = self.expected();
        let Some(last) = expected.last().map(|segment| segment.base) else { return Ok(self.found) };
        let tail = durable.map_or(last, |mark| mark.segment).min(last);
        for segment in expected {
            let goes_on = match (segment.is_there, segment.base < tail, segment.next) {
                (false, ..) => self.miss(segment),
                (true, true, Some(next)) => self.read_sealed(segment.base, next)?,
                (true, ..) => self.read_tail(segment)?,
            };
            if !goes_on {
                break;
            }
        }
        self.found.log_end = self.found.log_end.max(durable.map_or(Offset::ZERO, |mark| mark.offset));
        self.found.log_start = self.found.log_start.min(self.found.log_end);
        self.found.epochs = Some(self.inventory.epochs.clone().unwrap_or(self.observed));
        Ok(self.found)
    }

    /// Says what is no file of a log, and which caches cannot be used.
    fn look_at_names(&mut self) {
        let inventory = self.inventory;
        for name in &inventory.names {
            let is_index =
                name.strip_suffix(".index").is_some_and(|base| base_of(&format!("{base}.log")).is_some());
            let is_known = [CHECKPOINT, EPOCHS, DAMAGED_BYTES, COMPACTED].contains(&name.as_str())
                || base_of(name).is_some()
                || is_index
                || name.starts_with("producers.");
            let swap = SwapFile::of(name).filter(|swap| inventory.swap == Some(*swap));
            if let Some(SwapFile { base, next }) = swap {
                self.found.notes.push(InspectionNote::UnfinishedCompaction { from: base, next });
            } else if name.ends_with(TEMPORARY) {
                self.found.notes.push(InspectionNote::HalfWritten { name: name.clone() });
            } else if !is_known {
                self.found.notes.push(InspectionNote::Foreign { name: name.clone() });
            }
        }
        if inventory.bases.is_empty() && inventory.checkpoint.is_none() {
            return;
        }
        match inventory.checkpoint {
            None => self.found.notes.push(InspectionNote::Checkpoint { state: "missing or not whole" }),
            Some(_) if !inventory.is_certain => {
                self.found
                    .notes
                    .push(InspectionNote::Checkpoint { state: "not whole in one of its two slots" });
            }
            Some(_) => {}
        }
        if inventory.epochs.is_none() {
            self.found.notes.push(InspectionNote::LeaderEpochs);
        }
    }

    /// The segments that must be there, whether they are or not.
    fn expected(&mut self) -> Vec<ExpectedSegment> {
        let inventory = self.inventory;
        let (expired, kept) = inventory.bases.split_at(inventory.expired);
        let expired = expired.iter().map(|base| InspectionNote::ExpiredSegment { segment: base.get() });
        self.found.notes.extend(expired);
        let saved_start = inventory.checkpoint.map_or(Offset::ZERO, |last| last.log_start);
        let log_start = match kept.first() {
            Some(first) if !inventory.is_certain => saved_start.max(*first),
            Some(_) => saved_start,
            None if inventory.checkpoint.is_none() => return Vec::new(),
            None => saved_start,
        };
        self.found.log_start = log_start;
        let mut bases: Vec<_> = kept.iter().map(|base| (*base, true)).collect();
        if kept.first().is_none_or(|first| *first > log_start) {
            bases.insert(0, (log_start, false));
        }
        let last = inventory.durable.filter(|mark| mark.offset > log_start && mark.segment > bases[0].0);
        if let Some(mark) = last.filter(|mark| !kept.contains(&mark.segment)) {
            bases.push((mark.segment, false));
            bases.sort_unstable();
        }
        let nexts = bases.iter().skip(1).map(|(base, _)| Some(*base)).chain([None]);
        bases
            .iter()
            .zip(nexts)
            .map(|(&(base, is_there), next)| ExpectedSegment { base, is_there, next })
            .collect()
    }

    /// Takes note of a segment that is not there.
    fn miss(&mut self, segment: ExpectedSegment) -> bool {
        let durable = self.inventory.durable.map_or(segment.base, |mark| mark.offset);
        let next = segment.next.unwrap_or(durable).max(segment.base);
        self.damage(segment.base, Place { offset: segment.base, position: 0 }, 0, next, Fault::Missing);
        true
    }

    /// Reads a segment that was whole and acknowledged up to the next one.
    fn read_sealed(&mut self, base: Offset, next: Offset) -> io::Result<bool> {
        let (file, size) = self.open(base)?;
        let stored = self.stored_index(base)?;
        let state = match &stored {
            None => Some("missing or not whole"),
            Some(index) if (index.summary.next, index.summary.bytes) != (next, size) => {
                Some("of another segment")
            }
            Some(_) => None,
        };
        let had_index = stored.is_some();
        let (scan, agreeing) = self.scan(&*file, base, size, Some(next), stored)?;
        let (ranges, reached) = (all_ranges(&scan, next), scan.reached.offset);
        let disagrees = had_index && agreeing.is_none() && ranges.is_empty();
        if let Some(state) = state.or(disagrees.then_some("not what the log says")) {
            self.found.notes.push(InspectionNote::Index { segment: base.get(), state });
        }
        for range in ranges {
            let (end, behind) = range.next.map_or((size, next), |place| (place.position, place.offset));
            self.damage(base, range.from, end - range.from.position.min(end), behind, range.fault);
        }
        if reached > next {
            let from = Place { offset: next, position: size };
            self.damage(base, from, 0, next, Fault::Overlap { next });
        }
        self.found.log_end = next;
        Ok(true)
    }

    /// Reads a segment that may hold what was never acknowledged; whether the next one belongs to the log.
    fn read_tail(&mut self, segment: ExpectedSegment) -> io::Result<bool> {
        let base = segment.base;
        let (file, size) = self.open(base)?;
        let durable = self.inventory.durable.filter(|mark| mark.segment == base);
        let end = durable.filter(|mark| mark.position == size).map(|mark| mark.offset);
        let (scan, _) = self.scan(&*file, base, size, end, None)?;
        let acknowledged = durable.map_or(base, |mark| mark.offset);
        let is_torn = self.inventory.may_cut && !scan.goes_on && scan.sound.offset >= acknowledged;
        let mut reached = scan.reached.offset;
        for range in &scan.ranges {
            if let Some(next) = range.next {
                let bytes = next.position - range.from.position;
                self.damage(base, range.from, bytes, next.offset, range.fault.clone());
                continue;
            }
            let (byte, bytes) = (range.from.position, size - range.from.position);
            if is_torn {
                self.found.notes.push(InspectionNote::TornTail { segment: base.get(), byte, bytes });
                continue;
            }
            let told = self.end_of_damage(&*file, range.from, size)?;
            reached = segment.next.unwrap_or(told).max(range.from.offset);
            self.damage(base, range.from, bytes, reached, range.fault.clone());
        }
        if reached < acknowledged {
            let fault = Fault::Short { next: acknowledged };
            self.damage(base, scan.reached, 0, acknowledged, fault);
            reached = acknowledged;
        }
        self.found.log_end = reached;
        let Some(next) = segment.next.filter(|next| *next != reached) else { return Ok(true) };
        let is_behind = self.found.damage.is_empty() && self.inventory.is_certain;
        if is_behind && true_base_of(&*self.open(next)?.0, next)?.is_none() {
            self.leave_behind(next);
            return Ok(false);
        }
        let from = Place { offset: reached, position: size };
        self.damage(base, from, 0, next.max(reached), Fault::Short { next });
        Ok(true)
    }

    /// Takes note of the segments from `first` on, which were never acknowledged.
    fn leave_behind(&mut self, first: Offset) {
        let behind = self.inventory.bases.iter().filter(|base| **base >= first);
        let notes = behind.map(|base| InspectionNote::UnacknowledgedSegment { segment: base.get() });
        self.found.notes.extend(notes);
    }

    /// Behind the offsets of damaged bytes that reach to the end of the log. The synced end tells it; if that is not known,
    /// it is as the damaged batch's own header has it, and as many offsets as there are bytes: more than records
    /// without compression can have had.
    fn end_of_damage(&self, file: &dyn DiskFile, from: Place, size: u64) -> io::Result<Offset> {
        if let Some(durable) = self.inventory.durable {
            return Ok(durable.offset.max(from.offset.next()));
        }
        let mut head = [0; HEADER_BYTES];
        let read = read_fully(file, &mut head, from.position)?;
        let header = BatchHeader::parse(&head[..read]).ok();
        let header = header.filter(|header| header.base_offset == from.offset.get());
        let told = header.map_or(0, |header| i64::from(header.last_offset_delta).saturating_add(1));
        let bytes = i64::try_from(size - from.position).unwrap_or(i64::MAX);
        Ok(Offset::new(from.offset.get().saturating_add(told.max(bytes))))
    }

    fn damage(&mut self, segment: Offset, from: Place, bytes: u64, next: Offset, fault: Fault) {
        let is_acknowledged = self.found.synced_end.is_none_or(|end| from.offset < end);
        let (byte, from) = (from.position, from.offset);
        self.found.damage.push(DamagedOffsets { segment, byte, bytes, from, next, is_acknowledged, fault });
    }

    fn open(&self, base: Offset) -> io::Result<(Arc<dyn DiskFile>, u64)> {
        let file = self.disk.open_to_read(&self.inventory.path_of(self.dir, base))?;
        let size = file.size()?;
        Ok((file, size))
    }

    fn stored_index(&self, base: Offset) -> io::Result<Option<SegmentIndex>> {
        let stored = read_file(self.disk, &log_path(self.dir, base).with_extension("index"))?;
        Ok(stored.and_then(|bytes| SegmentIndex::decode(&bytes)).filter(|index| index.summary.base == base))
    }

    /// Reads a segment file whole, and takes note of it and of what was given up in it.
    fn scan(
        &mut self,
        file: &dyn DiskFile,
        base: Offset,
        size: u64,
        end: Option<Offset>,
        stored: Option<SegmentIndex>,
    ) -> io::Result<(Scan, Option<SegmentIndex>)> {
        let epochs = self.inventory.epochs.as_ref();
        let extent = Extent { file, base, size, end, epochs, interval: INDEX_INTERVAL };
        let (observed, notes) = (&mut self.observed, &mut self.found.notes);
        let mut batches = 0;
        let (scan, agreeing) = scan_against(&extent, stored, |header| {
            observed.observe(header);
            batches += 1;
            if header.is_empty() && !header.is_gap() && !header.is_idempotent() {
                let (from, next) =
                    (Offset::new(header.base_offset), Offset::new(header.last_offset()).next());
                notes.push(InspectionNote::GivenUp { from, next });
            }
        })?;
        let next_offset = scan.reached.offset;
        self.found.segments.push(SegmentInspection { base_offset: base, next_offset, bytes: size, batches });
        Ok((scan, agreeing))
    }
}

/// The subject and verb of a sentence on offsets that hold something.
fn hold(from: Offset, next: Offset) -> String {
    match next.get() - from.get() {
        1 => format!("offset {from} holds"),
        _ => format!("offsets {from} to {} hold", next.advance(-1)),
    }
}
