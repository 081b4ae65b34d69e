//! The exact total of doubles, whatever their order.
//!
//! A double is a whole number of units of 2^-1074, so that totals are whole numbers too, of up to 2,100 bits; kept are
//! the limbs of 32 bits that are not zero at either end (Kulisch, *Computer Arithmetic and Validity*, "long
//! accumulator"; Neal, *Fast exact summation using small and large superaccumulators*, 2015). Adding up doubles one
//! after the other rounds each time, and a view, which adds by partition and epoch, would differ from its batch.
//!
//! Invariants: the bytes of a total are a function of its value alone; a total is rounded once, when it is read, to the
//! nearest double, halves to even.

pub(crate) mod aggregates;

use datafusion::common::{Result, exec_err};

/// Limbs hold 32 bits and room for so many carries.
const ADDITIONS: u32 = 1 << 29;
const LIMB: usize = 32;
/// The place of the unit bit of a double's exponent: 2^-1074 is place 0.
const MANTISSA: u64 = (1 << 52) - 1;

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
            let kind = match () {
                () if value.is_nan() => 0,
                () if value > 0.0 => 1,
                () => 2,
            };
            self.special[kind] += if is_taken { -1 } else { 1 };
            return;
        }
        let bits = value.to_bits();
        let (exponent, fraction) = ((bits >> 52) & 0x7ff, bits & MANTISSA);
        let (mantissa, place) = match exponent {
            0 => (fraction, 0),
            exponent => (fraction | (MANTISSA + 1), exponent as usize - 1),
        };
        if mantissa == 0 {
            return;
        }
        let sign = if value.is_sign_negative() != is_taken { -1 } else { 1 };
        let shifted = u128::from(mantissa) << (place % LIMB);
        let at = self.reach(place / LIMB, 3);
        for (limb, part) in self.limbs[at..at + 3].iter_mut().enumerate() {
            // Cut to one limb.
            *part += sign * i64::from((shifted >> (limb * LIMB)) as u32);
        }
        self.count_addition();
    }

    /// Adds another total.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, others) in self.special.iter_mut().zip(other.special) {
            *mine += others;
        }
        let (is_negative, magnitude) = other.settled();
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
            let (is_negative, magnitude) = self.settled();
            let sign = if is_negative { -1 } else { 1 };
            self.first = magnitude.first;
            self.limbs = magnitude.limbs.iter().map(|limb| sign * i64::from(*limb)).collect();
            self.unsettled = 1;
        }
    }

    /// Sign and magnitude.
    fn settled(&self) -> (bool, Magnitude) {
        let (limbs, carry) = carried(self.limbs.iter().copied());
        let is_negative = carry < 0;
        let (mut limbs, carry) = match is_negative {
            true => carried(self.limbs.iter().map(|limb| -limb)),
            false => (limbs, carry),
        };
        // Cut to one limb, and what is above it.
        limbs.extend([carry as u32, (carry >> LIMB) as u32]);
        let above = limbs.iter().rposition(|limb| *limb != 0).map_or(0, |last| last + 1);
        limbs.truncate(above);
        let below = limbs.iter().take_while(|limb| **limb == 0).count();
        limbs.drain(..below);
        let first = if limbs.is_empty() { 0 } else { self.first + below };
        (is_negative, Magnitude { first, limbs })
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
        let (is_negative, magnitude) = self.settled();
        let value = magnitude.nearest();
        if is_negative { -value } else { value }
    }

    /// As it is kept.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (is_negative, magnitude) = self.settled();
        let is_special = self.special != [0; 3];
        // At most 70 limbs are below any.
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

/// Limbs of 32 bits, and what is carried above them.
fn carried(limbs: impl Iterator<Item = i64>) -> (Vec<u32>, i64) {
    let mut carry = 0;
    let settled = limbs.map(|limb| {
        let sum = limb + carry;
        carry = sum >> LIMB;
        // Cut to one limb.
        sum as u32
    });
    let settled = settled.collect();
    (settled, carry)
}

/// A whole number of units.
#[derive(Debug)]
struct Magnitude {
    first: usize,
    limbs: Vec<u32>,
}

impl Magnitude {
    fn nearest(&self) -> f64 {
        let Some(top) = self.limbs.last() else { return 0.0 };
        let bits = (self.first + self.limbs.len()) * LIMB - top.leading_zeros() as usize;
        if bits <= 53 {
            // Few enough to be exact; a subnormal double is its units.
            return f64::from_bits(self.window(0));
        }
        let place = bits - 53;
        let mantissa = self.window(place);
        let is_half = self.bit(place - 1);
        let is_more = (0..place - 1).rev().any(|bit| self.bit(bit));
        let rounds_up = is_half && (is_more || mantissa & 1 == 1);
        if place + 1 > 0x7fe {
            return f64::INFINITY;
        }
        // A carry out of the mantissa is a carry into the exponent, and out of that infinity.
        f64::from_bits((((place as u64) + 1) << 52) + (mantissa & MANTISSA) + u64::from(rounds_up))
    }

    fn limb(&self, limb: usize) -> u32 {
        limb.checked_sub(self.first).and_then(|limb| self.limbs.get(limb)).copied().unwrap_or(0)
    }

    fn bit(&self, place: usize) -> bool {
        self.limb(place / LIMB) >> (place % LIMB) & 1 == 1
    }

    /// The 53 bits from a place on.
    fn window(&self, place: usize) -> u64 {
        let limbs = (0..3).map(|limb| u128::from(self.limb(place / LIMB + limb)) << (limb * LIMB));
        let bits = limbs.fold(0, |bits, limb| bits | limb) >> (place % LIMB);
        // Cut to 53 bits.
        bits as u64 & (MANTISSA << 1 | 1)
    }
}

#[cfg(test)]
mod tests;
