//! Randomness, as a parameter.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use factum_types::Timestamp;
use uuid::Uuid;

/// A source of identifiers: the operating system's, or a seeded one for tests.
#[derive(Clone)]
pub struct Random(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<AtomicU64>),
}

impl Random {
    /// Draws from the operating system.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Draws the same sequence for the same `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(AtomicU64::new(seed))))
    }

    /// A random UUID (version 4).
    pub fn uuid(&self) -> Uuid {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
            Source::System => Uuid::new_v4(),
            Source::Seeded(state) => uuid::Builder::from_random_bytes(seeded_bytes(state)).into_uuid(),
        }
    }

    /// A UUID that sorts by `now` (version 7, RFC 9562); times before 1970 count as 1970.
    pub fn uuid_v7(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        let drawn = self.uuid();
        let tail = drawn.as_bytes().last_chunk::<10>().expect("a UUID has sixteen bytes");
        uuid::Builder::from_unix_timestamp_millis(millis, tail).into_uuid()
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Random::system",
            Source::Seeded(_) => "Random::seeded",
        })
    }
}

/// Sixteen bytes of SplitMix64 (Steele, Lea and Flood, 2014).
fn seeded_bytes(state: &AtomicU64) -> [u8; 16] {
    let word = || {
        let mut z = state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&word().to_be_bytes());
    bytes[8..].copy_from_slice(&word().to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_ids_do_not() {
        let (one, other) = (Random::seeded(7), Random::seeded(7));
        let first = one.uuid();
        assert_eq!(first, other.uuid());
        assert_ne!(first, one.uuid());
    }

    #[test]
    fn version_7_sorts_by_time() {
        let random = Random::seeded(1);
        let early = random.uuid_v7(Timestamp::from_millis(1_000));
        let late = random.uuid_v7(Timestamp::from_millis(2_000));
        assert!(early < late);
        assert_eq!(early.get_version_num(), 7);
    }
}
