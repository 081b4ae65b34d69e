//! The producers' state where the log ends: the newest snapshot that can be read, and the batches since.

use std::io;
use std::path::Path;

use factum_types::record::TransactionMarker;
use factum_types::{BatchHeader, Offset, Timestamp};

use crate::commit::{snapshot_name, snapshots};
use crate::disk::{Disk, DiskFile, read_file};
use crate::epochs::Epochs;
use crate::index::{Place, Summary};
use crate::producers::Producers;
use crate::scan::{Extent, scan};
use crate::segment::log_path;
use crate::walk::{Stop, Walk};

use super::survey::Survey;

const READ_AHEAD: usize = 64 << 10;

/// The producers of the log that `survey` describes; `names` are the files of its directory.
pub(super) fn producers(
    disk: &dyn Disk,
    dir: &Path,
    names: &[String],
    survey: &Survey,
) -> io::Result<Producers> {
    let (from, mut producers) = newest_snapshot(disk, dir, names, survey.end)?;
    let first = survey.sealed.first().map_or(survey.active.summary.base, |summary| summary.base);
    if from < first {
        // A later snapshot was lost, and what followed this one is removed.
        producers.forget_batches();
    }
    let mut replay = Replay { producers, from, epochs: &survey.epochs };
    for summary in survey.sealed.iter().filter(|summary| summary.next > from) {
        let file = disk.open(&log_path(dir, summary.base))?;
        replay.segment(&*file, summary)?;
    }
    if survey.active.summary.next > from {
        replay.segment(&*survey.file, &survey.active.summary)?;
    }
    Ok(replay.producers)
}

fn newest_snapshot(
    disk: &dyn Disk,
    dir: &Path,
    names: &[String],
    end: Offset,
) -> io::Result<(Offset, Producers)> {
    for taken_at in snapshots(names).into_iter().rev().filter(|taken_at| *taken_at <= end) {
        let stored = read_file(disk, &dir.join(snapshot_name(taken_at)))?;
        let decoded = stored.and_then(|bytes| Producers::decode(&bytes));
        if let Some(snapshot) = decoded.filter(|(found, _)| *found == taken_at) {
            return Ok(snapshot);
        }
    }
    Ok((Offset::ZERO, Producers::default()))
}

/// Takes note of the batches from an offset on.
struct Replay<'a> {
    producers: Producers,
    from: Offset,
    epochs: &'a Epochs,
}

impl Replay<'_> {
    fn segment(&mut self, file: &dyn DiskFile, summary: &Summary) -> io::Result<()> {
        match self.walk(file, summary) {
            Ok(()) => Ok(()),
            Err(Stop::Io(error)) => Err(error),
            // What lies behind the damage may end transactions, or begin some: readers must know of those.
            Err(Stop::Damaged(_)) => self.around_damage(file, summary),
        }
    }

    fn walk(&mut self, file: &dyn DiskFile, summary: &Summary) -> Result<(), Stop> {
        let start = Place { offset: summary.base, position: 0 };
        let mut walk = Walk::new(file, summary.base, None, start, summary.bytes, READ_AHEAD);
        while let Some(header) = walk.header()? {
            let control = if header.is_control() {
                walk.bytes(walk.place().position, header.encoded_len())?
            } else {
                &[]
            };
            self.batch(&header, control);
            walk.step(&header);
        }
        Ok(())
    }

    fn around_damage(&mut self, file: &dyn DiskFile, summary: &Summary) -> io::Result<()> {
        let extent = Extent {
            file,
            base: summary.base,
            size: summary.bytes.min(file.size()?),
            end: Some(summary.next),
            epochs: Some(self.epochs),
            interval: u32::MAX,
        };
        scan(&extent, |_, header, bytes| self.batch(header, bytes)).map(drop)
    }

    fn batch(&mut self, header: &BatchHeader, bytes: &[u8]) {
        if header.base_offset >= self.from.get() {
            let marker = TransactionMarker::of(header, bytes);
            // What the transaction did to readers is known from the producers at the end.
            let _ = self.producers.record(header, marker.as_ref(), Timestamp::NONE);
            // What is read again behind damage is taken note of once.
            self.from = Offset::new(header.last_offset()).next();
        }
    }
}
