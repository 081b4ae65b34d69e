//! Counts as ids that do not follow each other, and back.
//!
//! A balanced Feistel network of four rounds over 62 bits (Luby and Rackoff, 1988) with the finaliser of SplitMix64
//! (Steele, Lea and Flood, 2014) as its round function. Enough that an id does not tell its neighbours; no cipher.

use factum_types::ProducerId;

/// Set in every id made here, and in none that was counted up from 0.
const MARK: u64 = 1 << 62;
const HALF_BITS: u32 = 31;
const HALF: u64 = (1 << HALF_BITS) - 1;
const ROUNDS: u64 = 4;

#[derive(Debug, Clone, Copy)]
pub(super) struct Scramble([u64; 2]);

impl Scramble {
    pub(super) fn new(key: [u64; 2]) -> Self {
        Self(key)
    }

    pub(super) fn key(&self) -> [u64; 2] {
        self.0
    }

    /// The id of a count below 2^62.
    pub(super) fn id_of(&self, count: i64) -> ProducerId {
        let (mut left, mut right) = ((count as u64 >> HALF_BITS) & HALF, count as u64 & HALF);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.mix(round, right));
        }
        (MARK | (left << HALF_BITS) | right).cast_signed()
    }

    /// The count that gives this id; none for an id that none gives.
    pub(super) fn count_of(&self, id: ProducerId) -> Option<i64> {
        let id = id.cast_unsigned();
        if id >> 62 != 1 {
            return None;
        }
        let (mut left, mut right) = ((id >> HALF_BITS) & HALF, id & HALF);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.mix(round, left), left);
        }
        Some(((left << HALF_BITS) | right).cast_signed())
    }

    fn mix(&self, round: u64, half: u64) -> u64 {
        let key = self.0[(round % 2) as usize].rotate_left(17 * round as u32);
        let mut mixed = key ^ half.wrapping_add(round).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) & HALF
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_gives_its_count_back(count in 0i64..1 << 62, key: [u64; 2]) {
            let scramble = Scramble::new(key);
            let id = scramble.id_of(count);
            prop_assert!(id > 1 << 61);
            prop_assert_eq!(scramble.count_of(id), Some(count));
        }

        #[test]
        fn ids_do_not_follow_each_other(count in 0i64..1 << 40, key: [u64; 2]) {
            let scramble = Scramble::new(key);
            prop_assert!(scramble.id_of(count).abs_diff(scramble.id_of(count + 1)) > 1_000);
        }
    }

    #[test]
    fn ids_that_were_counted_up_have_no_count() {
        let scramble = Scramble::new([1, 2]);
        for id in [-1, 0, 1_000, (1 << 62) - 1] {
            assert_eq!(scramble.count_of(id), None);
        }
    }
}
