//! The exact total of doubles, whatever their order.
//!
//! A double is a whole number of units of 2^-1074, so that totals are whole numbers too, of up to 2,100 bits; kept are
//! the limbs of 32 bits that are not zero at either end (Kulisch, *Computer Arithmetic and Validity*, "long
//! accumulator"; Neal, *Fast exact summation using small and large superaccumulators*, 2015). Adding up doubles one
//! after the other rounds each time, and a view, which adds by partition and epoch, would differ from its batch.
//! Products of two doubles are whole numbers of units of 2^-2148 and are added up alike, in a total of their own:
//! variances and regressions are made of both ([`statistics`]).
//!
//! Invariants: the bytes of a total are a function of its value alone; a total is rounded once, when it is read, to the
//! nearest double, halves to even.

pub(crate) mod aggregates;
pub(crate) mod functions;
pub(crate) mod statistics;
mod whole;

use datafusion::common::{Result, exec_err};
use whole::{LIMB, MANTISSA, Whole};

/// Limbs hold 32 bits and room for so many carries.
const ADDITIONS: u32 = 1 << 29;

/// A total.
#[derive(Debug, Clone, Default)]
pub(crate) struct FloatTotal {
    /// How many limbs of zero are below the first.
    first: usize,
    limbs: Vec<i64>,
    /// Additions since carries were settled.
    unsettled: u32,
    /// How many of each were added: not a number, infinity, minus infinity.
    special: [i64; 3],
}

impl FloatTotal {
    /// Adds a value, or takes one away that was added.
    pub(crate) fn add(&mut self, value: f64, is_taken: bool) {
        if !value.is_finite() {
            return self.add_special(value, is_taken);
        }
        let (mantissa, place) = units(value);
        self.add_units(mantissa.into(), place, value.is_sign_negative() != is_taken);
    }

    /// The same with a product, in a total of nothing else.
    pub(crate) fn add_product(&mut self, left: f64, right: f64, is_taken: bool) {
        if !(left.is_finite() && right.is_finite()) {
            return self.add_special(left * right, is_taken);
        }
        let ((left_mantissa, left_place), (right_mantissa, right_place)) = (units(left), units(right));
        let is_negative = left.is_sign_negative() != right.is_sign_negative();
        let product = u128::from(left_mantissa) * u128::from(right_mantissa);
        self.add_units(product, left_place + right_place, is_negative != is_taken);
    }

    fn add_special(&mut self, value: f64, is_taken: bool) {
        let kind = match () {
            () if value.is_nan() => 0,
            () if value > 0.0 => 1,
            () => 2,
        };
        self.special[kind] += if is_taken { -1 } else { 1 };
    }

    /// Adds up to 106 bits, the lowest of them at a place.
    fn add_units(&mut self, mantissa: u128, place: usize, is_negative: bool) {
        if mantissa == 0 {
            return;
        }
        let sign = if is_negative { -1 } else { 1 };
        let shift = place % LIMB;
        let count = (128 - mantissa.leading_zeros() as usize + shift).div_ceil(LIMB);
        let at = self.reach(place / LIMB, count);
        let above = mantissa.checked_shr(u32::try_from(128 - shift).unwrap_or(0)).unwrap_or(0);
        for (limb, sum) in self.limbs[at..at + count].iter_mut().enumerate() {
            let part = if limb < 4 { (mantissa << shift) >> (limb * LIMB) } else { above };
            // Cut to one limb.
            *sum += sign * i64::from(part as u32);
        }
        self.count_addition();
    }

    /// Adds another total.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, others) in self.special.iter_mut().zip(other.special) {
            *mine += others;
        }
        let Whole { is_negative, magnitude } = other.whole();
        let at = self.reach(magnitude.first, magnitude.limbs.len());
        for (mine, others) in self.limbs[at..].iter_mut().zip(&magnitude.limbs) {
            *mine += if is_negative { -i64::from(*others) } else { i64::from(*others) };
        }
        self.count_addition();
    }

    /// Makes room for limbs; where the first of them is.
    fn reach(&mut self, limb: usize, count: usize) -> usize {
        if self.limbs.is_empty() {
            self.first = limb;
        }
        if limb < self.first {
            let missing = self.first - limb;
            self.limbs.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = limb;
        }
        let at = limb - self.first;
        if self.limbs.len() < at + count {
            self.limbs.resize(at + count, 0);
        }
        at
    }

    fn count_addition(&mut self) {
        self.unsettled += 1;
        if self.unsettled == ADDITIONS {
            let Whole { is_negative, magnitude } = self.whole();
            let sign = if is_negative { -1 } else { 1 };
            self.first = magnitude.first;
            self.limbs = magnitude.limbs.iter().map(|limb| sign * i64::from(*limb)).collect();
            self.unsettled = 1;
        }
    }

    /// How many units it has, not counting what is no number.
    fn whole(&self) -> Whole {
        Whole::of_limbs(self.first, &self.limbs)
    }

    /// Whether all that was added is finite.
    fn is_finite(&self) -> bool {
        self.special == [0; 3]
    }

    /// The nearest double.
    pub(crate) fn value(&self) -> f64 {
        let [nan, plus, minus] = self.special.map(|count| count > 0);
        if nan || (plus && minus) {
            return f64::NAN;
        }
        if plus || minus {
            return if plus { f64::INFINITY } else { f64::NEG_INFINITY };
        }
        let Whole { is_negative, magnitude } = self.whole();
        let value = magnitude.nearest();
        if is_negative { -value } else { value }
    }

    /// As it is kept.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Whole { is_negative, magnitude } = self.whole();
        let is_special = !self.is_finite();
        // At most 130 limbs are below any.
        let mut bytes = vec![u8::from(is_negative) | u8::from(is_special) << 1, magnitude.first as u8];
        if is_special {
            self.special.iter().for_each(|count| bytes.extend(count.to_le_bytes()));
        }
        magnitude.limbs.iter().for_each(|limb| bytes.extend(limb.to_le_bytes()));
        bytes
    }

    /// What was kept.
    ///
    /// # Errors
    /// If these are no bytes of a total.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let Some(([flags, first], mut rest)) = bytes.split_first_chunk::<2>() else {
            return exec_err!("a total of doubles has {} bytes", bytes.len());
        };
        let mut total = Self { first: usize::from(*first), unsettled: 1, ..Self::default() };
        if flags & 2 != 0 {
            for count in &mut total.special {
                let Some((bytes, others)) = rest.split_first_chunk::<8>() else {
                    return exec_err!("a total of doubles has {} bytes", bytes.len());
                };
                (*count, rest) = (i64::from_le_bytes(*bytes), others);
            }
        }
        let (limbs, others) = rest.as_chunks::<4>();
        if !others.is_empty() {
            return exec_err!("a total of doubles has {} bytes", bytes.len());
        }
        let sign = if flags & 1 == 0 { 1 } else { -1 };
        total.limbs = limbs.iter().map(|limb| sign * i64::from(u32::from_le_bytes(*limb))).collect();
        Ok(total)
    }

    /// Bytes in memory beside itself.
    pub(crate) fn size(&self) -> usize {
        self.limbs.capacity() * size_of::<i64>()
    }
}

/// The mantissa of a finite double, and the place of its unit: 2^-1074 is place 0.
fn units(value: f64) -> (u64, usize) {
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52) & 0x7ff, bits & MANTISSA);
    match exponent {
        0 => (fraction, 0),
        exponent => (fraction | (MANTISSA + 1), exponent as usize - 1),
    }
}

#[cfg(test)]
mod tests;
