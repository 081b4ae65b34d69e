//! Disk, limits and clock of this machine.

use std::path::{Path, PathBuf};

use factum_base::clock::{Clock, SystemClock};
use factum_types::{ByteSize, Timestamp};
use rustix::process::{Resource, getrlimit};

use super::Finding;

/// A segment of each partition of a few topics, and room to think.
const LITTLE_SPACE: u64 = 1024 * 1024 * 1024;
/// Less than one segment: the first topics would fill it.
const NO_SPACE: u64 = 128 * 1024 * 1024;
/// A file for each partition and a socket for each client.
pub(super) const FEW_FILES: u64 = 4096;
pub(super) const MORE_FILES: &str = "raise the hard limit: ulimit -Hn 4096, or LimitNOFILE in systemd";
/// What a partition's segments grow to where neither the server nor a topic says.
const SEGMENT: u64 = 128 * 1024 * 1024;
/// Before this version was written: 2026-01-01.
const LONG_AGO: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// A clock beyond 2100 is wrong, and retention would drop every event that comes later.
const FAR_OFF: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// Whether events can be kept in `folder`, or in the temporary folder.
pub(super) fn data_dir(folder: Option<&Path>) -> Vec<Finding> {
    let folder = folder.map_or_else(std::env::temp_dir, Path::to_owned);
    // A folder that is yet to be made lies in one that exists.
    let existing: PathBuf = match folder.ancestors().find(|folder| folder.exists()) {
        Some(found) if !found.as_os_str().is_empty() => found.to_owned(),
        _ => PathBuf::from("."),
    };
    vec![writable(&folder, &existing), free_space(&existing)]
}

fn writable(folder: &Path, existing: &Path) -> Finding {
    match tempfile::Builder::new().prefix(".factum-doctor-").tempfile_in(existing) {
        Ok(_) => Finding::ok("data folder", format!("{} can be written", folder.display())),
        Err(error) => Finding::fail(
            "data folder",
            format!("{} cannot be written: {error}", folder.display()),
            "choose another with --data-dir, or change its owner",
        ),
    }
}

fn free_space(folder: &Path) -> Finding {
    match rustix::fs::statvfs(folder) {
        Ok(found) => room("disk", found.f_bavail.saturating_mul(found.f_frsize)),
        Err(error) => Finding::warn("disk", format!("free space is not known: {error}"), "look with `df -h`"),
    }
}

/// Whether so many free bytes are enough.
pub(super) fn room(check: &'static str, free: u64) -> Finding {
    let rounded = if free >= LITTLE_SPACE { free & !(LITTLE_SPACE - 1) } else { free & !0xf_ffff };
    let said = format!("{} free", ByteSize(rounded));
    match free {
        0..NO_SPACE => Finding::fail(check, said, "make room, or choose another disk with --data-dir"),
        NO_SPACE..LITTLE_SPACE => Finding::warn(check, said, "make room, or shorten retention"),
        _ => Finding::ok(check, said),
    }
}

/// Whether enough files can be open; `dev` raises the soft limit by itself.
pub(super) fn open_files() -> Finding {
    match getrlimit(Resource::Nofile).maximum {
        Some(limit) if limit < FEW_FILES => {
            Finding::warn("open files", format!("at most {limit}"), MORE_FILES)
        }
        Some(limit) => Finding::ok("open files", format!("at most {limit}")),
        None => Finding::ok("open files", "without limit"),
    }
}

/// Whether segments may grow; nothing where files have no limit.
pub(super) fn file_size() -> Option<Finding> {
    let limit = getrlimit(Resource::Fsize).current?;
    let said = format!("a file has at most {}", ByteSize(limit));
    let check = "file size";
    Some(match limit < SEGMENT {
        true => Finding::warn(
            check,
            format!("{said}; a partition whose segment has reached that takes no more records"),
            "raise it: ulimit -f unlimited, or LimitFSIZE=infinity in systemd",
        ),
        false => Finding::ok(check, said),
    })
}

/// Whether the clock can be right.
pub(super) fn time() -> Finding {
    right_time("clock", SystemClock.now())
}

/// Whether `now` can be right.
pub(super) fn right_time(check: &'static str, now: Timestamp) -> Finding {
    if (LONG_AGO..FAR_OFF).contains(&now) {
        return Finding::ok(check, now.to_string());
    }
    Finding::fail(check, format!("{now} cannot be right"), "set it: timedatectl set-ntp true")
}
