//! One segment: a `.log` file of batches end to end, named after its base offset.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use factum_types::{Offset, Timestamp};
use parking_lot::{Mutex, RwLock};

use crate::active_file::ActiveFile;
use crate::disk::directory_of;
use crate::index::{SegmentIndex, Summary};
use crate::open_segments::OpenSegment;
use crate::segment_damage::SegmentDamage;

/// A segment as readers and the writer share it.
pub(crate) struct Segment {
    base: Offset,
    /// Changed under the state's lock.
    path: RwLock<PathBuf>,
    /// Bytes below the high watermark: what readers may see.
    readable: AtomicU64,
    state: RwLock<State>,
    /// What is damaged in it, once someone met it. Locked while the segment is read for that.
    damage: Mutex<Option<Arc<SegmentDamage>>>,
}

/// What a segment is at this moment.
pub(crate) enum State {
    /// The last one, which grows.
    Active {
        /// The file.
        file: Arc<ActiveFile>,
        /// Its index, kept in memory until it is sealed.
        index: SegmentIndex,
    },
    /// It never changes again; file and index are opened when needed.
    Sealed(Summary),
    /// Compaction put another file in its place. Readers that know it already go on with the old one.
    Replaced(Summary, OpenSegment),
}

impl Segment {
    /// The segment that `state` describes, all of it readable.
    pub(crate) fn new(dir: &Path, state: State) -> Self {
        let path = log_path(dir, state.summary().base);
        Self::at(path, state)
    }

    /// As [`Segment::new`], in a file of another name.
    pub(crate) fn at(path: PathBuf, state: State) -> Self {
        let summary = state.summary();
        Self {
            base: summary.base,
            path: RwLock::new(path),
            readable: AtomicU64::new(summary.bytes),
            state: RwLock::new(state),
            damage: Mutex::new(None),
        }
    }

    /// Offset of the first record.
    pub(crate) fn base(&self) -> Offset {
        self.base
    }

    /// The `.log` file; while compaction puts it in place, a `.swap` file.
    pub(crate) fn path(&self) -> PathBuf {
        self.path.read().clone()
    }

    /// The `.index` file.
    pub(crate) fn index_path(&self) -> PathBuf {
        log_path(directory_of(&self.path.read()), self.base).with_extension("index")
    }

    /// Gives its file the name `path` by `rename`, while no one opens it.
    pub(crate) fn rename(&self, path: PathBuf, rename: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let _no_one_opens_it = self.state.write();
        rename()?;
        *self.path.write() = path;
        Ok(())
    }

    /// From here on readers of this segment use `open`, whatever lies under its name.
    pub(crate) fn replace(&self, open: OpenSegment) {
        let mut state = self.state.write();
        *state = State::Replaced(state.summary(), open);
    }

    /// Bytes that readers may see. Loaded after the high watermark, it covers every batch below that.
    pub(crate) fn readable(&self) -> u64 {
        self.readable.load(Ordering::Acquire)
    }

    /// Lets readers see the first `bytes`.
    pub(crate) fn reveal(&self, bytes: u64) {
        self.readable.fetch_max(bytes, Ordering::Release);
    }

    /// The segment as a whole, unsynced batches included.
    pub(crate) fn summary(&self) -> Summary {
        self.state.read().summary()
    }

    /// What it is at this moment.
    pub(crate) fn state(&self) -> &RwLock<State> {
        &self.state
    }

    /// What is damaged in it, as far as that was looked into. Taken before the state's lock, never after.
    pub(crate) fn damage(&self) -> &Mutex<Option<Arc<SegmentDamage>>> {
        &self.damage
    }

    /// Whether nothing is appended to it any more.
    pub(crate) fn is_sealed(&self) -> bool {
        !matches!(*self.state.read(), State::Active { .. })
    }

    /// Takes note of a batch appended to the active segment.
    pub(crate) fn grow(&self, add: impl FnOnce(&mut SegmentIndex)) {
        match &mut *self.state.write() {
            State::Active { index, .. } => add(index),
            State::Sealed(_) | State::Replaced(..) => unreachable!("only the active segment is appended to"),
        }
    }

    /// Dates its last append at `now` if no one knows it: it was no later.
    pub(crate) fn date(&self, now: Timestamp) {
        let mut state = self.state.write();
        let summary = match &mut *state {
            State::Active { index, .. } => &mut index.summary,
            State::Sealed(summary) | State::Replaced(summary, _) => summary,
        };
        if summary.appended_at == Timestamp::NONE {
            summary.appended_at = now;
        }
    }

    /// Makes the active segment a sealed one and hands out what it no longer keeps.
    pub(crate) fn seal(&self) -> Option<(Arc<ActiveFile>, SegmentIndex)> {
        let mut state = self.state.write();
        let sealed = State::Sealed(state.summary());
        match std::mem::replace(&mut *state, sealed) {
            State::Active { file, index } => Some((file, index)),
            State::Sealed(_) | State::Replaced(..) => None,
        }
    }
}

impl State {
    fn summary(&self) -> Summary {
        match self {
            Self::Active { index, .. } => index.summary,
            Self::Sealed(summary) | Self::Replaced(summary, _) => *summary,
        }
    }
}

/// Digits of a base offset in a file name.
const NAME_DIGITS: usize = 20;

/// Where the segment with base offset `base` lies.
pub(crate) fn log_path(dir: &Path, base: Offset) -> PathBuf {
    dir.join(format!("{:0NAME_DIGITS$}.log", base.get()))
}

/// The base offset that a file name tells, if it is a segment's.
pub(crate) fn base_of(name: &str) -> Option<Offset> {
    let digits = name.strip_suffix(".log")?;
    let is_number = digits.len() == NAME_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok().map(Offset::new))?
}
