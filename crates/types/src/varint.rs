//! Zig-zag variable-length integers, as records use them (Protocol Buffers' `sint32` and `sint64`).

/// The longest encoding of 64 bits.
pub(crate) const MAX_BYTES: usize = 10;

/// Takes one integer off the front of `bytes`; `None` if it is cut off or longer than 64 bits allow.
#[inline]
pub(crate) fn read(bytes: &mut &[u8]) -> Option<i64> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(unzigzag(u64::from(first)));
    }
    // Lengths and offsets of ordinary records take two bytes: a batch is walked for each produce request.
    let (&second, rest) = rest.split_first()?;
    if second < 0x80 {
        *bytes = rest;
        return Some(unzigzag(u64::from(first & 0x7f) | (u64::from(second) << 7)));
    }
    read_long(bytes)
}

fn read_long(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0u64;
    for (i, &byte) in bytes.iter().take(MAX_BYTES).enumerate() {
        let low = u64::from(byte & 0x7f);
        if i == MAX_BYTES - 1 && low > 1 {
            return None;
        }
        value |= low << (7 * i);
        if byte < 0x80 {
            *bytes = &bytes[i + 1..];
            return Some(unzigzag(value));
        }
    }
    None
}

/// Appends `value`.
#[inline]
pub(crate) fn write(out: &mut impl Extend<u8>, value: i64) {
    let mut rest = zigzag(value);
    while rest >= 0x80 {
        out.extend([(rest as u8) | 0x80]);
        rest >>= 7;
    }
    out.extend([rest as u8]);
}

/// How many bytes [`write`] appends for `value`.
#[inline]
pub(crate) fn len(value: i64) -> usize {
    let bits = 64 - (zigzag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

const fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn varints_round_trip(value: i64, tail: Vec<u8>) {
            let mut out = Vec::new();
            write(&mut out, value);
            prop_assert_eq!(out.len(), len(value));
            out.extend_from_slice(&tail);
            let mut rest = out.as_slice();
            prop_assert_eq!(read(&mut rest), Some(value));
            prop_assert_eq!(rest, tail.as_slice());
        }
    }

    #[test]
    fn small_values_take_one_byte() {
        for (value, byte) in [(0, 0), (-1, 1), (1, 2), (-64, 127), (63, 126)] {
            let mut out = Vec::new();
            write(&mut out, value);
            assert_eq!(out, [byte]);
        }
    }

    #[test]
    fn cut_off_or_overlong_integers_are_refused() {
        for bytes in [
            &[][..],
            &[0x80],
            &[0xff; 9],
            &[0xff; 11],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
        ] {
            let mut rest = bytes;
            assert_eq!(read(&mut rest), None, "{bytes:?}");
            assert_eq!(rest, bytes, "nothing is taken on failure");
        }
    }
}
