//! Integers of any width: the tag says sign and length, the bytes behind it are the absolute value without leading
//! zeros, turned if it is negative.
//!
//! Invariants: an i64 and a u64 of the same value are the same bytes; a small number is a short key.

use super::reader::{InvalidKey, Reader};
use super::tag;

const BYTES: u8 = 16;
pub(super) const SMALLEST_TAG: u8 = tag::INTEGER - BYTES;
pub(super) const LARGEST_TAG: u8 = tag::INTEGER + BYTES;

pub(super) fn push(key: &mut Vec<u8>, value: i128) {
    let absolute = value.unsigned_abs();
    let length = BYTES - (absolute.leading_zeros() / 8) as u8;
    let bytes = absolute.to_be_bytes();
    let bytes = &bytes[usize::from(BYTES - length)..];
    if value < 0 {
        key.push(tag::INTEGER - length);
        key.extend(bytes.iter().map(|byte| !byte));
    } else {
        key.push(tag::INTEGER + length);
        key.extend_from_slice(bytes);
    }
}

pub(super) fn take(from: &mut Reader<'_>, tag: u8) -> Result<i128, InvalidKey> {
    let (length, is_negative) = (tag.abs_diff(tag::INTEGER), tag < tag::INTEGER);
    let mut absolute = 0_u128;
    for at in 0..length {
        let byte = from.byte()? ^ if is_negative { 0xff } else { 0 };
        if at == 0 && byte == 0 {
            return Err(InvalidKey);
        }
        absolute = absolute << 8 | u128::from(byte);
    }
    match is_negative {
        true => 0_i128.checked_sub_unsigned(absolute).ok_or(InvalidKey),
        false => i128::try_from(absolute).map_err(|_| InvalidKey),
    }
}
