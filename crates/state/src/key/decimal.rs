//! Decimals by their value: a sign, a power of ten, and the digits in pairs.
//!
//! ```text
//!   0.0123 = 0.123 × 10⁻¹    positive tag │ exponent u16, 32768 for 0 │ 12+1 │ 30+1 │ 0
//! ```
//!
//! Invariants: digits are those of a fraction that begins with one other than zero, so that the exponent decides
//! before them. Negative ones have every bit behind the tag turned.

use super::reader::{InvalidKey, Reader};
use super::tag;

/// A decimal number without needless zeros: equal ones are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    unscaled: i128,
    scale: i16,
}

impl Decimal {
    /// `unscaled` × 10⁻`scale`, as a column of that scale has it.
    pub fn new(unscaled: i128, scale: i8) -> Self {
        Self::simplified(unscaled, i16::from(scale))
    }

    fn simplified(mut unscaled: i128, mut scale: i16) -> Self {
        if unscaled == 0 {
            return Self { unscaled, scale: 0 };
        }
        while unscaled % 10 == 0 {
            unscaled /= 10;
            scale -= 1;
        }
        Self { unscaled, scale }
    }

    /// The integer that a column of this scale has for it; `None` if it has more places, or too many digits.
    pub fn unscaled(&self, scale: i8) -> Option<i128> {
        let more = u32::try_from(i16::from(scale) - self.scale).ok()?;
        match self.unscaled {
            0 => Some(0),
            unscaled => unscaled.checked_mul(10_i128.checked_pow(more)?),
        }
    }
}

const ZERO_EXPONENT: i32 = 1 << 15;
/// The most decimal digits of an i128.
const MAX_DIGITS: usize = 39;
/// A scale of 8 bits and the zeros that 39 digits may end with.
const MAX_SCALE: i32 = 128 + MAX_DIGITS as i32;
const END: u8 = 0;

pub(super) fn push(key: &mut Vec<u8>, value: &Decimal) {
    if value.unscaled == 0 {
        return key.push(tag::ZERO_DECIMAL);
    }
    let mut digits = [0_u8; MAX_DIGITS + 1];
    let (mut left, mut count) = (value.unscaled.unsigned_abs(), 0);
    while left > 0 {
        digits[count] = (left % 10) as u8;
        left /= 10;
        count += 1;
    }
    digits[..count].reverse();
    let exponent = count as i32 - i32::from(value.scale) + ZERO_EXPONENT;
    let is_negative = value.unscaled < 0;
    key.push(if is_negative { tag::NEGATIVE_DECIMAL } else { tag::POSITIVE_DECIMAL });
    let start = key.len();
    // Scales and digits are far from the ends of 16 bits.
    key.extend_from_slice(&(exponent as u16).to_be_bytes());
    key.extend(digits[..count.next_multiple_of(2)].chunks(2).map(|pair| pair[0] * 10 + pair[1] + 1));
    key.push(END);
    if is_negative {
        key[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

pub(super) fn take(from: &mut Reader<'_>, tag: u8) -> Result<Decimal, InvalidKey> {
    if tag == tag::ZERO_DECIMAL {
        return Ok(Decimal::new(0, 0));
    }
    let is_negative = tag == tag::NEGATIVE_DECIMAL;
    let turned = if is_negative { 0xff } else { 0 };
    let exponent = u16::from_be_bytes(from.array::<2>()?.map(|byte| byte ^ turned));
    let (mut unscaled, mut count) = (0_i128, 0_i32);
    let mut add = |digit: u8| {
        let digit = if is_negative { -i128::from(digit) } else { i128::from(digit) };
        unscaled = unscaled.checked_mul(10).and_then(|ten| ten.checked_add(digit)).ok_or(InvalidKey)?;
        count += 1;
        Ok(())
    };
    loop {
        let pair = match from.byte()? ^ turned {
            END => break,
            pair @ 1..=100 => pair - 1,
            _ => return Err(InvalidKey),
        };
        add(pair / 10)?;
        // The last pair may be half a pair, and no decimal ends with a zero.
        if pair % 10 != 0 || from.peek()? ^ turned != END {
            add(pair % 10)?;
        }
    }
    let scale = count - (i32::from(exponent) - ZERO_EXPONENT);
    if unscaled % 10 == 0 || scale.abs() > MAX_SCALE || !is_fraction(unscaled, count) {
        return Err(InvalidKey);
    }
    Ok(Decimal { unscaled, scale: scale as i16 })
}

/// Whether the first of `count` digits is not zero.
fn is_fraction(unscaled: i128, count: i32) -> bool {
    unscaled.unsigned_abs().checked_ilog10().is_some_and(|power| power as i32 + 1 == count)
}
