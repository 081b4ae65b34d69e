//! Ids for idempotent producers.
//!
//! ```text
//!   0 ───────── handed out ─────────┬─ this block ─┬─ never reserved yet ──▶
//!                                 next          reserved (on disk)
//! ```
//!
//! Always holds: an id is given out only after the end of its block is on disk, and a start goes on from there.
//! So no id is given out twice; a crash wastes at most the rest of a block, of 2^63.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use factum_log::Disk;
use factum_types::ProducerId;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::json_file::{self, Versioned};

/// Ids reserved by one write.
const BLOCK: i64 = 1_000;

/// `producer-ids.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProducerIdsFile {
    format: u32,
    /// No id from here on was ever given out.
    reserved: i64,
}

impl Versioned for ProducerIdsFile {
    const FORMAT: u32 = 1;

    fn format(&self) -> u32 {
        self.format
    }
}

/// Gives out ids.
pub(crate) struct ProducerIds {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    next: i64,
    reserved: i64,
}

impl ProducerIds {
    pub(crate) fn open(disk: Arc<dyn Disk>, data_dir: &Path) -> Result<Self, json_file::Error> {
        let path = data_dir.join("producer-ids.json");
        let reserved = json_file::read::<ProducerIdsFile>(&*disk, &path)?.map_or(0, |file| file.reserved);
        Ok(Self { disk, path, state: Mutex::new(State { next: reserved, reserved }) })
    }

    /// The next id, if it needs no disk.
    pub(crate) fn take_reserved(&self) -> Option<ProducerId> {
        self.state.lock().take()
    }

    /// The next id; reserves a block first if need be, which blocks on the disk.
    pub(crate) fn take(&self) -> Result<ProducerId, json_file::Error> {
        let mut state = self.state.lock();
        if let Some(id) = state.take() {
            return Ok(id);
        }
        let file = ProducerIdsFile { format: ProducerIdsFile::FORMAT, reserved: state.reserved + BLOCK };
        json_file::write(&*self.disk, &self.path, &file)?;
        state.reserved = file.reserved;
        Ok(state.take().expect("a block was reserved just now"))
    }
}

impl State {
    fn take(&mut self) -> Option<ProducerId> {
        let id = self.next;
        (id < self.reserved).then(|| {
            self.next += 1;
            id
        })
    }
}
