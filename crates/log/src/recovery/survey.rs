//! Finds out what the segments hold, and cuts off a torn tail.

use std::io;
use std::path::Path;
use std::sync::Arc;

use factum_types::Offset;

use crate::checkpoint::Mark;
use crate::damage::{Damage, Fault};
use crate::disk::{Disk, DiskFile, read_file, read_fully, remove_if_there, write_cache};
use crate::epochs::Epochs;
use crate::index::{SUMMARY_BYTES, SegmentIndex, Summary};
use crate::misnamed::true_base_of;
use crate::scan::{DamagedRange, Extent, Scan};
use crate::segment::log_path;
use crate::segment_damage::{index_around, scan_against};

use super::inventory::Inventory;

/// The segments of a log, as they are after recovery.
pub(super) struct Survey {
    /// All but the last segment.
    pub(super) sealed: Vec<Summary>,
    /// The last segment's file.
    pub(super) file: Arc<dyn DiskFile>,
    /// The last segment's contents.
    pub(super) active: SegmentIndex,
    /// Behind the last record; in quarantine perhaps behind records that are lost.
    pub(super) end: Offset,
    pub(super) epochs: Epochs,
    pub(super) is_clean: bool,
    /// Files whose bytes were found good but may not be durable.
    pub(super) scanned: Vec<Arc<dyn DiskFile>>,
    pub(super) scanned_bytes: u64,
    pub(super) truncated_bytes: u64,
    /// The first thing found broken.
    pub(super) damage: Option<Damage>,
}

impl Survey {
    /// Surveys the segments that `inventory` names.
    pub(super) fn of(disk: &dyn Disk, dir: &Path, inventory: &Inventory, interval: u32) -> io::Result<Self> {
        Surveyor::new(disk, dir, inventory, interval).survey()
    }

    /// Behind the last batch of the last segment.
    pub(super) fn mark(&self) -> Mark {
        let summary = self.active.summary;
        Mark { segment: summary.base, position: summary.bytes, offset: summary.next }
    }
}

struct Surveyor<'a> {
    disk: &'a dyn Disk,
    dir: &'a Path,
    inventory: &'a Inventory,
    interval: u32,
    /// Rebuilt from the batches if the list is lost.
    observed: Epochs,
    sealed: Vec<Summary>,
    scanned: Vec<Arc<dyn DiskFile>>,
    scanned_bytes: u64,
    truncated_bytes: u64,
    damage: Option<Damage>,
}

type Active = (Arc<dyn DiskFile>, SegmentIndex);

impl<'a> Surveyor<'a> {
    fn new(disk: &'a dyn Disk, dir: &'a Path, inventory: &'a Inventory, interval: u32) -> Self {
        Self {
            disk,
            dir,
            inventory,
            interval,
            observed: Epochs::starting_at(inventory.bases[0]),
            sealed: Vec::new(),
            scanned: Vec::new(),
            scanned_bytes: 0,
            truncated_bytes: 0,
            damage: None,
        }
    }

    fn survey(mut self) -> io::Result<Survey> {
        let bases = &self.inventory.bases;
        let recovery_segment = self.inventory.recovery_segment();
        self.check_presence();
        // The last segment is always read as the end of the log, even where the one that should be is lost.
        let tail = bases.partition_point(|base| *base < recovery_segment).min(bases.len() - 1);
        for pair in bases[..=tail].windows(2) {
            self.survey_sealed(pair[0], pair[1])?;
        }
        let (active, is_clean) = match self.closed_in_order()? {
            Some(active) => (active, true),
            None => (self.survey_tail(&bases[tail..])?, false),
        };
        let (file, index) = active;
        let durable = self.inventory.durable.map_or(Offset::ZERO, |mark| mark.offset);
        Ok(Survey {
            sealed: self.sealed,
            file,
            end: index.summary.next.max(durable),
            active: index,
            epochs: self.inventory.epochs.clone().unwrap_or(self.observed),
            is_clean: is_clean && self.damage.is_none(),
            scanned: self.scanned,
            scanned_bytes: self.scanned_bytes,
            truncated_bytes: self.truncated_bytes,
            damage: self.damage,
        })
    }

    /// Whether segments are missing at either end of what the checkpoint vouches for.
    fn check_presence(&mut self) {
        let (first, log_start) = (self.inventory.bases[0], self.inventory.log_start());
        if first > log_start {
            self.break_at(log_start, first, log_start, 0, Fault::Missing);
        }
        let Some(point) = self.inventory.durable else { return };
        let is_there = self.inventory.bases.contains(&point.segment);
        if !is_there && point.segment >= first && point.offset > log_start {
            self.break_at(point.segment.max(log_start), point.offset, point.segment, 0, Fault::Missing);
        }
    }

    fn break_at(&mut self, at: Offset, next: Offset, segment: Offset, byte: u64, fault: Fault) {
        self.damage.get_or_insert(Damage { at, next, segment, byte, fault });
    }

    /// Checks a segment that is known to have been whole and durable up to the next one's base offset.
    fn survey_sealed(&mut self, base: Offset, next: Offset) -> io::Result<()> {
        let path = log_path(self.dir, base);
        let file = self.disk.open(&path)?;
        let bytes = file.size()?;
        let is_whole = |stored: &Summary| {
            (stored.base, stored.next, stored.bytes) == (base, next, bytes) && !stored.is_damaged
        };
        let stored = self.stored_summary(base)?.filter(is_whole);
        if let (Some(summary), Some(_)) = (stored, &self.inventory.epochs) {
            self.sealed.push(summary);
            return Ok(());
        }
        let before = self.stored_index(base)?.filter(|index| index.summary.next == next);
        let (scan, before) = self.scan(&file, base, bytes, Some(next), before)?;
        let (found, sound) = (scan.index.summary, scan.sound);
        let is_short = scan.damage.is_none() && found.next != next;
        if is_short {
            let fault = if sound.offset > next { Fault::Overlap { next } } else { Fault::Short { next } };
            self.break_at(sound.offset.min(next), next, base, sound.position, fault);
        }
        let mut index = match scan.damage {
            Some(damage) => {
                self.damage.get_or_insert(Damage { next: behind(&scan.ranges, next), ..damage });
                index_around(scan.index, before)
            }
            None if is_short => index_around(scan.index, before),
            None => scan.index,
        };
        index.summary = Summary { next, bytes, ..index.summary };
        self.sealed.push(index.summary);
        self.store_index(&index);
        Ok(())
    }

    fn stored_index(&self, base: Offset) -> io::Result<Option<SegmentIndex>> {
        let stored = read_file(self.disk, &log_path(self.dir, base).with_extension("index"))?;
        Ok(stored.and_then(|bytes| SegmentIndex::decode(&bytes)).filter(|index| index.summary.base == base))
    }

    fn stored_summary(&self, base: Offset) -> io::Result<Option<Summary>> {
        let file = match self.disk.open(&log_path(self.dir, base).with_extension("index")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut head = [0; SUMMARY_BYTES];
        let read = read_fully(&*file, &mut head, 0)?;
        Ok(SegmentIndex::decode_summary(&head[..read]))
    }

    /// The active segment as the last close left it, if nothing has happened to the log since.
    fn closed_in_order(&self) -> io::Result<Option<Active>> {
        let inventory = self.inventory;
        let Some(checkpoint) = inventory.checkpoint.filter(|last| last.clean && inventory.is_certain) else {
            return Ok(None);
        };
        let point = checkpoint.recovery_point;
        if inventory.durable != Some(point) {
            return Ok(None);
        }
        if inventory.bases.last() != Some(&point.segment) || inventory.epochs.is_none() {
            return Ok(None);
        }
        let path = log_path(self.dir, point.segment);
        let file = self.disk.open(&path)?;
        let index = self.stored_index(point.segment)?.filter(|index| {
            let found = index.summary;
            (found.next, found.bytes) == (point.offset, point.position) && !found.is_damaged
        });
        let is_same_size = file.size()? == point.position;
        Ok(index.filter(|_| is_same_size).map(|index| (file, index)))
    }

    /// Reads the segments that may hold what was not yet durable; returns the one to append to.
    fn survey_tail(&mut self, bases: &[Offset]) -> io::Result<Active> {
        let mut active = self.survey_tail_segment(bases[0])?;
        for (at, base) in bases.iter().enumerate().skip(1) {
            let (end, may_cut) = (active.1.summary, self.damage.is_none());
            let continues = end.next == *base;
            if !continues && may_cut && self.inventory.is_certain && !self.is_misnamed(*base)? {
                self.remove_unacknowledged(&bases[at..])?;
                break;
            }
            if !continues {
                self.break_at(end.next, *base, end.base, end.bytes, Fault::Short { next: *base });
            }
            let index = active.1;
            if may_cut {
                self.store_index(&index);
            }
            self.sealed.push(Summary { next: *base, ..index.summary });
            active = self.survey_tail_segment(*base)?;
        }
        Ok(active)
    }

    fn survey_tail_segment(&mut self, base: Offset) -> io::Result<Active> {
        let file = self.disk.open(&log_path(self.dir, base))?;
        let bytes = file.size()?;
        let durable = self.inventory.durable.filter(|point| point.segment == base);
        let before = self.stored_index(base)?.filter(|index| {
            let found = index.summary;
            durable.is_some_and(|point| (found.next, found.bytes) == (point.offset, point.position))
        });
        let end = durable.filter(|point| point.position == bytes).map(|point| point.offset);
        let (scan, before) = self.scan(&file, base, bytes, end, before)?;
        // By offset and not by position: after a repair the same records lie elsewhere in the file.
        let least = durable.map_or(base, |point| point.offset);
        let (sound, mut index) = (scan.sound, scan.index);
        match scan.damage {
            Some(_) if self.may_cut() && !scan.goes_on && sound.offset >= least => {
                file.set_len(sound.position)?;
                self.truncated_bytes += bytes - sound.position;
            }
            Some(damage) => {
                let end = durable.map_or(damage.at.next(), |point| point.offset.max(damage.at.next()));
                self.damage.get_or_insert(Damage { next: behind(&scan.ranges, end), ..damage });
                index = index_around(index, before);
                index.summary.bytes = index.summary.bytes.min(bytes);
            }
            None => {}
        }
        if let Some(point) = durable.filter(|point| sound.offset < point.offset) {
            self.break_at(
                sound.offset,
                point.offset,
                base,
                sound.position,
                Fault::Short { next: point.offset },
            );
        }
        self.scanned.push(Arc::clone(&file));
        Ok((file, index))
    }

    /// Whether the file bears another segment's name, so that its name says nothing about what may go.
    fn is_misnamed(&self, base: Offset) -> io::Result<bool> {
        let file = self.disk.open_to_read(&log_path(self.dir, base))?;
        Ok(true_base_of(&*file, base)?.is_some())
    }

    fn may_cut(&self) -> bool {
        self.inventory.may_cut && self.damage.is_none()
    }

    /// Scans a segment; returns `before`, an index made earlier, if what is found agrees with it.
    fn scan(
        &mut self,
        file: &Arc<dyn DiskFile>,
        base: Offset,
        size: u64,
        end: Option<Offset>,
        before: Option<SegmentIndex>,
    ) -> io::Result<(Scan, Option<SegmentIndex>)> {
        self.scanned_bytes += size;
        let observed = &mut self.observed;
        let epochs = self.inventory.epochs.as_ref();
        let extent = Extent { file: &**file, base, size, end, epochs, interval: self.interval };
        scan_against(&extent, before, |header| observed.observe(header))
    }

    /// Segments that do not continue the log behind a torn one: a checkpoint comes before the first
    /// acknowledgement in each segment, and names none of these.
    fn remove_unacknowledged(&mut self, bases: &[Offset]) -> io::Result<()> {
        for base in bases {
            let path = log_path(self.dir, *base);
            self.truncated_bytes += self.disk.open(&path)?.size()?;
            remove_if_there(self.disk, &path)?;
        }
        Ok(())
    }

    /// Stores an index, which is a cache: a failure costs a scan at the next start.
    fn store_index(&self, index: &SegmentIndex) {
        let path = log_path(self.dir, index.summary.base).with_extension("index");
        if let Err(error) = write_cache(self.disk, &path, &index.encode()) {
            tracing::warn!(path = %path.display(), %error, "could not store an index");
        }
    }
}

/// Where reading goes on behind the first of `ranges`: at the batch behind it, or at `end`.
fn behind(ranges: &[DamagedRange], end: Offset) -> Offset {
    ranges.first().and_then(|range| range.next).map_or(end, |next| next.offset)
}
