//! The contents of one file: what a program reads, what a crash leaves, and the writes between the two.

use super::Random;

const PAGE_BYTES: usize = 4096;

#[derive(Clone, Default)]
pub(super) struct Contents {
    now: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
    /// Which bytes of `now` take space.
    taken: Vec<bool>,
}

#[derive(Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Resize(usize),
}

impl Contents {
    /// Contents that no crash takes away.
    pub(super) fn durable(contents: Vec<u8>) -> Self {
        let taken = vec![true; contents.len()];
        Self { now: contents.clone(), durable: contents, unsynced: Vec::new(), taken }
    }

    /// What a program reads.
    pub(super) fn now(&self) -> &[u8] {
        &self.now
    }

    /// Bytes that the file takes.
    pub(super) fn space(&self) -> u64 {
        self.taken.iter().filter(|taken| **taken).count() as u64
    }

    /// How many of `length` bytes at `at` can be written with `free` bytes of new space.
    pub(super) fn reach(&self, at: u64, length: usize, free: u64) -> usize {
        let at = usize::try_from(at).expect("files in memory are small");
        let takes_space = |byte: &usize| !self.taken.get(at + byte).copied().unwrap_or(false);
        let free = usize::try_from(free).unwrap_or(usize::MAX);
        (0..length).filter(takes_space).nth(free).unwrap_or(length)
    }

    pub(super) fn write(&mut self, bytes: &[u8], at: u64) {
        let at = usize::try_from(at).expect("files in memory are small");
        self.apply(Change::Write { at, bytes: bytes.to_vec() });
        self.taken.resize(self.now.len(), false);
        self.taken[at..at + bytes.len()].fill(true);
    }

    pub(super) fn set_len(&mut self, length: usize) {
        self.apply(Change::Resize(length));
        self.taken.resize(length, false);
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
        self.taken = vec![true; self.now.len()];
    }

    /// Keeps any of the pages that unsynced writes changed.
    pub(super) fn crash_out_of_order(&mut self, random: &mut Random) {
        self.unsynced.clear();
        for (page, bytes) in self.now.chunks(PAGE_BYTES).enumerate() {
            let at = page * PAGE_BYTES;
            let differs = self.durable.get(at..at + bytes.len()) != Some(bytes);
            if differs && random.below(2) == 0 {
                Change::Write { at, bytes: bytes.to_vec() }.apply(&mut self.durable);
            }
        }
        self.now.clone_from(&self.durable);
        self.taken = vec![true; self.now.len()];
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
