//! Resources of the machine: room on the disk of the data directory, open files, and how large a file may be.
//!
//! ```text
//!   free:   ··· plenty ···│··· little: a problem is said ···│··· reserve: clients' records are refused ···│ 0
//! ```
//!
//! Invariants: each change of the level is said once in the log; what was refused for want of room is taken again by
//! itself once there is room. The reserve is what state, offsets and administration go on with: without it a full disk
//! could not even be told to delete a topic.
//!
//! Deliberately not here: what refuses a record (`factum-broker`), and what an error of the disk means (`factum-log`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use factum_base::clock::SharedClock;
use factum_base::tasks::Stop;
use factum_broker::Broker;
use factum_types::ByteSize;
use metrics::{Unit, describe_gauge, gauge};
use serde::Deserialize;
use tracing::{debug, error, info, warn};

/// A file for each client and for many a partition: with fewer, a busy server runs out of them.
const FEW_FILES: u64 = 1_024;

/// When the disk counts as full.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Free space below which clients' records are refused; on a small disk a twentieth of it.
    pub reserve: ByteSize,
    /// Free space below which a problem is said; on a small disk a tenth of it.
    pub warn_below: ByteSize,
    /// How often it is looked.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            reserve: ByteSize::mib(256),
            warn_below: ByteSize::mib(1024),
            interval: Duration::from_millis(200),
        }
    }
}

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Plenty,
    Little,
    Reserve,
}

/// Bytes of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Space {
    free: u64,
    size: u64,
}

impl Space {
    fn of(folder: &Path) -> rustix::io::Result<Self> {
        let found = rustix::fs::statvfs(folder)?;
        Ok(Self {
            free: found.f_bavail.saturating_mul(found.f_frsize),
            size: found.f_blocks.saturating_mul(found.f_frsize),
        })
    }

    /// What clients may write until the next look.
    fn room(self, options: &Options, level: Level) -> u64 {
        match level {
            Level::Reserve => 0,
            Level::Plenty | Level::Little => self.free - self.reserve(options).min(self.free),
        }
    }

    fn reserve(self, options: &Options) -> u64 {
        options.reserve.0.min(self.size / 20)
    }

    /// The level, for one that was `before`: the reserve is left with a quarter of it to spare, so that a disk at its
    /// edge is not said to be full and not full in turns.
    fn level(self, options: &Options, before: Level) -> Level {
        let reserve = self.reserve(options);
        let warn_below = options.warn_below.0.min(self.size / 10).max(reserve);
        let until = if before == Level::Reserve { reserve + reserve / 4 } else { reserve };
        match self.free {
            free if free < until => Level::Reserve,
            free if free < warn_below => Level::Little,
            _ => Level::Plenty,
        }
    }
}

/// What was seen last; clones see the same.
#[derive(Debug, Clone)]
pub(crate) struct Machine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    options: Options,
    /// What segments grow to where a topic does not say.
    segment_bytes: ByteSize,
    level: AtomicU8,
    free: AtomicU64,
    open_files: AtomicU64,
}

impl Machine {
    /// Of the disk that holds `folder`, on which segments grow to `segment_bytes`.
    pub(crate) fn new(folder: PathBuf, options: Options, segment_bytes: ByteSize) -> Self {
        describe();
        let (level, free, open_files) = (AtomicU8::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Inner { folder, options, segment_bytes, level, free, open_files }))
    }

    /// Looks until `stop`, and lets `broker` refuse records while there is no room for them.
    pub(crate) async fn watch(self, broker: Broker, clock: SharedClock, stop: Stop) {
        for round in 0_u64.. {
            self.look_at_disk(&broker);
            // A list of thousands, and no hurry.
            if round % 5 == 0 {
                self.look_at_files();
            }
            gauge!("factum_clock_seconds").set(clock.now().as_millis() as f64 / 1_000.0);
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(self.0.options.interval) => {}
            }
        }
    }

    /// What is wrong, in words.
    pub(crate) fn problems(&self) -> Vec<String> {
        let free = steady(self.0.free.load(Ordering::Relaxed));
        let folder = self.0.folder.display();
        let disk = match self.level() {
            Level::Plenty => None,
            Level::Little => Some(format!("the disk of {folder} has {free:#} left")),
            Level::Reserve => Some(format!(
                "the disk of {folder} is full: records are refused until there is room; the last {free:#} are kept for \
                 state, offsets and administration"
            )),
        };
        let (used, limit) = (self.0.open_files.load(Ordering::Relaxed), open_files_limit());
        let advice = "raise the limit (`ulimit -n`, LimitNOFILE)";
        let files = match (used > limit / 10 * 9, limit < FEW_FILES) {
            (true, _) => Some(format!("{used} of {limit} open files are in use; {advice}")),
            (false, true) => Some(format!("at most {limit} files can be open, {used} are; {advice}")),
            (false, false) => None,
        };
        disk.into_iter().chain(files).chain(self.file_size_problem()).collect()
    }

    /// A limit that segments outgrow; known before a partition has met it.
    fn file_size_problem(&self) -> Option<String> {
        let limit = ByteSize(rustix::process::getrlimit(rustix::process::Resource::Fsize).current?);
        let segment_bytes = self.0.segment_bytes;
        (limit < segment_bytes).then(|| {
            format!(
                "a file has at most {limit:#} (`ulimit -f`, LimitFSIZE), and a partition's segments grow to \
                 {segment_bytes:#}: a partition whose segment has reached the limit takes no more records; raise the \
                 limit, or lower log.segment_bytes"
            )
        })
    }

    fn look_at_files(&self) {
        if let Some(used) = open_files() {
            self.0.open_files.store(used, Ordering::Relaxed);
            gauge!("factum_open_files").set(used as f64);
            gauge!("factum_open_files_limit").set(open_files_limit() as f64);
        }
    }

    fn look_at_disk(&self, broker: &Broker) {
        let before = self.level();
        match Space::of(&self.0.folder) {
            Ok(space) => {
                gauge!("factum_disk_free_bytes").set(space.free as f64);
                gauge!("factum_disk_size_bytes").set(space.size as f64);
                self.0.free.store(space.free, Ordering::Relaxed);
                // What is left above the reserve may be too little for the batches that come.
                let before_now = if broker.has_refused_for_room() { Level::Reserve } else { before };
                let level = space.level(&self.0.options, before_now);
                self.0.level.store(level as u8, Ordering::Relaxed);
                self.say(before, level, ByteSize(space.free));
                broker.set_disk_room(space.room(&self.0.options, level));
            }
            // Without an answer the level stays; a disk that is gone is reported by its writers.
            Err(error) => debug!(%error, "free space is not known"),
        }
    }

    fn say(&self, before: Level, level: Level, free: ByteSize) {
        let (folder, free) = (self.0.folder.display(), format!("{free:#}"));
        match (before, level) {
            (before, level) if before == level => {}
            (_, Level::Reserve) => {
                error!(%folder, %free, "the disk is full: records are refused until there is room");
            }
            (Level::Reserve, _) => warn!(%folder, %free, "the disk has room again: records are taken"),
            (_, Level::Little) => warn!(%folder, %free, "the disk is nearly full"),
            (_, Level::Plenty) => info!(%folder, %free, "the disk has plenty of room again"),
        }
    }

    fn level(&self) -> Level {
        match self.0.level.load(Ordering::Relaxed) {
            0 => Level::Plenty,
            1 => Level::Little,
            _ => Level::Reserve,
        }
    }
}

/// Free space in whole MiB, below that in whole KiB: a problem is not reported again for each block that is written.
fn steady(free: u64) -> ByteSize {
    let units = [1 << 20, 1 << 10, 1];
    let unit = units.into_iter().find(|unit| free >= *unit).unwrap_or(1);
    ByteSize(free / unit * unit)
}

fn describe() {
    describe_gauge!("factum_disk_free_bytes", Unit::Bytes, "Free on the disk of the data directory");
    describe_gauge!("factum_disk_size_bytes", Unit::Bytes, "Size of the disk of the data directory");
    describe_gauge!("factum_open_files", "Files and sockets that the process holds open");
    describe_gauge!("factum_open_files_limit", "How many it may hold open");
    describe_gauge!("factum_clock_seconds", Unit::Seconds, "The server's clock, since 1970");
    describe_gauge!("factum_build_info", "Always 1; the label is the version");
    gauge!("factum_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Files and sockets held open now, where the system tells.
fn open_files() -> Option<u64> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count() as u64)
}

fn open_files_limit() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_refused_in_the_reserve_and_taken_again_with_some_to_spare() {
        let options = Options { reserve: ByteSize(100), warn_below: ByteSize(400), ..Options::default() };
        let mut level = Plenty;
        let levels = [1_000, 399, 100, 99, 101, 124, 125, 400].map(|free| {
            level = Space { free, size: 100_000 }.level(&options, level);
            level
        });
        use Level::{Little, Plenty, Reserve};
        assert_eq!(levels, [Plenty, Little, Little, Reserve, Reserve, Reserve, Little, Plenty]);
    }

    #[test]
    fn little_free_space_is_told_in_a_unit_that_it_fills() {
        let told = [0, 900, 600 << 10, (600 << 10) + 77, 5 << 20, (5 << 20) + 77].map(steady);
        let told = told.map(|free| format!("{free:#}"));
        assert_eq!(told, ["0 B", "900 B", "600.0 KiB", "600.0 KiB", "5.0 MiB", "5.0 MiB"]);
    }

    #[test]
    fn a_small_disk_keeps_a_share_of_itself() {
        let level = |free| Space { free, size: 1_000 }.level(&Options::default(), Level::Plenty);
        assert_eq!(
            [level(100), level(99), level(50), level(49)],
            [Level::Plenty, Level::Little, Level::Little, Level::Reserve]
        );
    }
}
