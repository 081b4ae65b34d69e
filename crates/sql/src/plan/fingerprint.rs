//! Fingerprints of definitions: state is reused only if they match.

use std::fmt;

/// A digest of a definition: equal for equal definitions, whatever process computes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Fingerprint(u128);

/// Changes when rows are kept in another form, so that old state is not read as new.
const FORMAT: u8 = 2;

const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

impl Fingerprint {
    /// Digests parts, in order: FNV-1a with 128 bits (Fowler, Noll, Vo), each part after its length.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let digest = fold(OFFSET_BASIS, &[FORMAT]);
        Self(
            parts
                .into_iter()
                .fold(digest, |digest, part| fold(fold(digest, &(part.len() as u64).to_le_bytes()), part)),
        )
    }

    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }
}

fn fold(digest: u128, bytes: &[u8]) -> u128 {
    bytes.iter().fold(digest, |digest, byte| (digest ^ u128::from(*byte)).wrapping_mul(PRIME))
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_part_ends_counts() {
        let of = |parts: &[&str]| Fingerprint::of(parts.iter().map(|part| part.as_bytes()));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
    }

    #[test]
    fn the_digest_is_fnv_1a() {
        // From the reference vectors: FNV-1a of "a" with 128 bits.
        assert_eq!(fold(OFFSET_BASIS, b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }
}
