//! The partition of a record whose producer did not choose one.

use std::sync::atomic::{AtomicU32, Ordering};

use factum_types::PartitionId;

/// Kafka's default partitioner: the key's murmur2 decides, records without a key take turns.
#[derive(Debug, Default)]
pub struct Partitioner {
    turn: AtomicU32,
}

impl Partitioner {
    /// The partition for a record with `key` in a topic of `partitions`.
    ///
    /// # Panics
    /// If `partitions` is not positive: no topic is without partitions.
    pub fn choose(&self, key: Option<&[u8]>, partitions: i32) -> PartitionId {
        assert!(partitions > 0, "every topic has a partition");
        let positive = match key {
            Some(key) => (murmur2(key) & 0x7fff_ffff) as i32,
            None => (self.turn.fetch_add(1, Ordering::Relaxed) & 0x7fff_ffff) as i32,
        };
        positive % partitions
    }
}

/// Murmur2 with the seed of Kafka's Java client, so that a key finds the partition that any client would choose.
fn murmur2(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    let mut hash = SEED ^ (key.len() as u32);
    let mut words = key.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes(word.try_into().expect("chunks of four"));
        k = k.wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (i, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * i);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that the Java client's own test expects (`UtilsTest.testMurmur2`).
    #[test]
    fn murmur2_agrees_with_the_java_client() {
        for (key, expected) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, expected, "{key}");
        }
    }

    #[test]
    fn records_without_a_key_take_turns() {
        let partitioner = Partitioner::default();
        let chosen: Vec<_> = (0..5).map(|_| partitioner.choose(None, 3)).collect();
        assert_eq!(chosen, [0, 1, 2, 0, 1]);
    }
}
