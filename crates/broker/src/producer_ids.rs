//! Ids for idempotent producers.
//!
//! ```text
//!   count  0 ───────── handed out ─────────┬─ this block ─┬─ never reserved yet ──▶
//!                                        next          reserved (on disk)
//!   id     = the count, scrambled by a key of this data directory
//! ```
//!
//! Invariants: an id is given out only after the end of its block is on disk, and a start goes on from there, so that no id
//! is given out twice; a crash wastes at most the rest of a block, of 2^62. Whether an id was ever given out can be told
//! from the id alone. Ids do not follow each other: a client that has one cannot tell another producer's.
//!
//! Version 1 of the file gave ids out one by one from 0; those stay good.

mod scramble;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use factum_base::random::Random;
use factum_log::Disk;
use factum_types::ProducerId;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

use self::scramble::Scramble;
use crate::json_file::{self, VersionedFile};

/// Ids reserved by one write.
const BLOCK: i64 = 1_000;

/// `producer-ids.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProducerIdsFile {
    format: u32,
    /// Ids below this were given out by version 1, one by one.
    plain: i64,
    /// What scrambles the others.
    key: [u64; 2],
    /// No id of this count or a later one was ever given out.
    reserved: i64,
}

impl VersionedFile for ProducerIdsFile {
    const FORMAT: u32 = 2;

    fn format(&self) -> u32 {
        self.format
    }
}

/// The same as version 1 wrote it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainFile {
    format: u32,
    reserved: i64,
}

impl VersionedFile for PlainFile {
    const FORMAT: u32 = 1;

    fn format(&self) -> u32 {
        self.format
    }
}

/// Gives out ids, and tells whether one was.
pub(crate) struct ProducerIds {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    plain: i64,
    scramble: Scramble,
    /// Counts below this may have been given out.
    reserved: AtomicI64,
    state: Mutex<State>,
    /// Those that belong to transactional ids.
    transactional: RwLock<HashSet<ProducerId>>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    next: i64,
    reserved: i64,
}

impl ProducerIds {
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        data_dir: &Path,
        random: &Random,
    ) -> Result<Self, json_file::Error> {
        let path = data_dir.join("producer-ids.json");
        let (plain, key, reserved) = match json_file::read::<PlainFile>(&*disk, &path) {
            Ok(Some(file)) => (file.reserved, new_key(random), 0),
            Ok(None) => (0, new_key(random), 0),
            Err(_) => match json_file::read::<ProducerIdsFile>(&*disk, &path)? {
                Some(file) => (file.plain, file.key, file.reserved),
                None => (0, new_key(random), 0),
            },
        };
        let state = Mutex::new(State { next: reserved, reserved });
        let (scramble, reserved) = (Scramble::new(key), AtomicI64::new(reserved));
        Ok(Self { disk, path, plain, scramble, reserved, state, transactional: RwLock::default() })
    }

    /// Whether the id was ever given out, or may have been before a crash.
    pub(crate) fn is_given_out(&self, id: ProducerId) -> bool {
        match self.scramble.count_of(id) {
            Some(count) => count < self.reserved.load(Ordering::Acquire),
            None => (0..self.plain).contains(&id),
        }
    }

    /// Takes note that the id belongs to a transactional id.
    pub(crate) fn begin_transactional(&self, id: ProducerId) {
        self.transactional.write().insert(id);
    }

    /// The transactional id that had it is forgotten.
    pub(crate) fn end_transactional(&self, id: ProducerId) {
        self.transactional.write().remove(&id);
    }

    /// Whether the id belongs to a transactional id, whose coordinator alone says which epochs it may have.
    pub(crate) fn is_transactional(&self, id: ProducerId) -> bool {
        self.transactional.read().contains(&id)
    }

    /// The next id, if it needs no disk.
    pub(crate) fn take_reserved(&self) -> Option<ProducerId> {
        self.state.lock().take().map(|count| self.scramble.id_of(count))
    }

    /// The next id; reserves a block first if need be, which blocks on the disk.
    pub(crate) fn take(&self) -> Result<ProducerId, json_file::Error> {
        let mut state = self.state.lock();
        if let Some(count) = state.take() {
            return Ok(self.scramble.id_of(count));
        }
        let reserved = state.reserved + BLOCK;
        let (plain, key) = (self.plain, self.scramble.key());
        let file = ProducerIdsFile { format: ProducerIdsFile::FORMAT, plain, key, reserved };
        json_file::write(&*self.disk, &self.path, &file)?;
        state.reserved = reserved;
        self.reserved.store(reserved, Ordering::Release);
        Ok(self.scramble.id_of(state.take().expect("a block was reserved just now")))
    }
}

impl State {
    fn take(&mut self) -> Option<i64> {
        let count = self.next;
        (count < self.reserved).then(|| {
            self.next += 1;
            count
        })
    }
}

fn new_key(random: &Random) -> [u64; 2] {
    let (high, low) = (random.uuid().as_u128(), random.uuid().as_u128());
    // A UUID's fixed bits are mixed with random ones of another.
    [(high ^ (low >> 64)) as u64, ((high >> 64) ^ low) as u64]
}
