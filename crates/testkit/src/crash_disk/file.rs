//! The contents of one file: what a program reads, what a crash leaves, and the writes between the two.

use super::Random;

const SECTOR_BYTES: usize = 512;

#[derive(Clone, Default)]
pub(super) struct Contents {
    now: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Resize(usize),
}

impl Contents {
    /// Contents that no crash takes away.
    pub(super) fn durable(contents: Vec<u8>) -> Self {
        Self { now: contents.clone(), durable: contents, unsynced: Vec::new() }
    }

    /// What a program reads.
    pub(super) fn now(&self) -> &[u8] {
        &self.now
    }

    pub(super) fn write(&mut self, bytes: &[u8], at: u64) {
        let at = usize::try_from(at).expect("files in memory are small");
        self.apply(Change::Write { at, bytes: bytes.to_vec() });
    }

    pub(super) fn set_len(&mut self, length: usize) {
        self.apply(Change::Resize(length));
    }

    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// A sync failed: what it should have kept stays readable, and no later sync keeps it.
    pub(super) fn drop_unsynced(&mut self) {
        self.unsynced.clear();
    }

    /// Keeps none, all, or the first of the unsynced changes, and perhaps a part of the one after.
    pub(super) fn crash(&mut self, random: &mut Random) {
        let all = self.unsynced.len();
        let kept = match random.below(3) {
            0 => 0,
            1 => all,
            _ => random.below(all + 1),
        };
        for (at, change) in std::mem::take(&mut self.unsynced).into_iter().enumerate().take(kept + 1) {
            if at < kept {
                change.apply(&mut self.durable);
            } else if random.below(2) == 0 {
                change.torn(random).apply(&mut self.durable);
            }
        }
        self.now.clone_from(&self.durable);
    }

    /// Keeps any of the sectors that unsynced writes changed.
    pub(super) fn crash_out_of_order(&mut self, random: &mut Random) {
        self.unsynced.clear();
        for (sector, bytes) in self.now.chunks(SECTOR_BYTES).enumerate() {
            let at = sector * SECTOR_BYTES;
            let differs = self.durable.get(at..at + bytes.len()) != Some(bytes);
            if differs && random.below(2) == 0 {
                Change::Write { at, bytes: bytes.to_vec() }.apply(&mut self.durable);
            }
        }
        self.now.clone_from(&self.durable);
    }

    fn apply(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }
}

impl Change {
    fn apply(&self, contents: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                let end = at + bytes.len();
                if contents.len() < end {
                    contents.resize(end, 0);
                }
                contents[*at..end].copy_from_slice(bytes);
            }
            Self::Resize(length) => contents.resize(*length, 0),
        }
    }

    /// The first part of a write.
    fn torn(&self, random: &mut Random) -> Self {
        match self {
            Self::Write { at, bytes } => {
                Self::Write { at: *at, bytes: bytes[..random.below(bytes.len() + 1)].to_vec() }
            }
            Self::Resize(length) => Self::Resize(*length),
        }
    }
}
