//! The producers' state where the log ends: the newest snapshot that can be read, and the batches since.

use std::io;
use std::path::Path;

use factum_types::{Offset, Timestamp};

use crate::commit::{snapshot_name, snapshots};
use crate::disk::{Disk, DiskFile, read_file};
use crate::index::{Place, Summary};
use crate::producers::Producers;
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
    for summary in survey.sealed.iter().filter(|summary| summary.next > from) {
        let file = disk.open(&log_path(dir, summary.base))?;
        replay(&*file, summary, from, &mut producers)?;
    }
    if survey.active.summary.next > from {
        replay(&*survey.file, &survey.active.summary, from, &mut producers)?;
    }
    Ok(producers)
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

/// Takes note of the batches of one segment from offset `from` on.
fn replay(file: &dyn DiskFile, summary: &Summary, from: Offset, producers: &mut Producers) -> io::Result<()> {
    let start = Place { offset: summary.base, position: 0 };
    let mut walk = Walk::new(file, summary.base, None, start, summary.bytes, READ_AHEAD);
    loop {
        match walk.header() {
            Ok(Some(header)) => {
                if header.base_offset >= from.get() {
                    producers.record(&header, Timestamp::NONE);
                }
                walk.step(&header);
            }
            // A damaged sealed segment says so when it is read; its producers are as unknown as its records.
            Ok(None) | Err(Stop::Damaged(_)) => return Ok(()),
            Err(Stop::Io(error)) => return Err(error),
        }
    }
}
