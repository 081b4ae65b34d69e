//! The short form of positions in many partitions: with each event comes its id, and 1,000 partitions written out take ten
//! times the record.
//!
//! ```text
//!   base64url( zigzag varint of each offset less the one before, from partition 0 on )
//! ```
//!
//! Partitions of one topic are about as long as each other, so that a difference takes two bytes where an offset and its
//! partition take ten. Varints are those of Protocol Buffers (base 128, the least significant group first).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

/// A 64-bit number takes at most so many groups of seven bits.
const MAX_VARINT_BYTES: usize = 10;

/// Writes offsets, the first that of partition 0.
pub(super) fn encode(offsets: impl Iterator<Item = i64>) -> String {
    let mut bytes = Vec::new();
    let mut before = 0_i64;
    for offset in offsets {
        let difference = offset.wrapping_sub(before);
        let mut rest = (difference << 1 ^ difference >> 63).cast_unsigned();
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        before = offset;
    }
    BASE64.encode(bytes)
}

/// Reads what [`encode`] wrote of at most `most` offsets; `None` for anything else. What it gives may be negative.
pub(super) fn decode(text: &str, most: usize) -> Option<Vec<i64>> {
    let bytes = BASE64.decode(text).ok().filter(|bytes| !bytes.is_empty())?;
    let (mut offsets, mut before, mut rest) = (Vec::new(), 0_i64, bytes.as_slice());
    while !rest.is_empty() {
        let length = rest.iter().take(MAX_VARINT_BYTES).position(|byte| byte & 0x80 == 0)? + 1;
        let (varint, behind) = rest.split_at(length);
        let zigzag = varint.iter().rev().fold(0_u64, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
        let difference = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
        before = before.checked_add(difference)?;
        if offsets.len() == most {
            return None;
        }
        offsets.push(before);
        rest = behind;
    }
    Some(offsets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn offsets_that_are_near_each_other_take_three_characters() {
        let offsets = (0..1_000).map(|partition| 5_000_000 + partition * 37 % 4_001);
        assert!(encode(offsets).len() < 3_000);
    }

    proptest! {
        #[test]
        fn offsets_are_read_as_they_were_written(offsets in prop::collection::vec(0..i64::MAX / 2, 1..200)) {
            let text = encode(offsets.iter().copied());
            prop_assert_eq!(decode(&text, offsets.len()), Some(offsets.clone()));
            prop_assert_eq!(decode(&text, offsets.len() - 1), None);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[A-Za-z0-9_-]{0,40}") {
            decode(&text, 8);
        }
    }
}
