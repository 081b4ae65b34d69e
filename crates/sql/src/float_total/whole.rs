//! Whole numbers of any size, for what is made of exact totals: their differences and products, and quotients as
//! doubles.

/// Bits of a limb.
pub(super) const LIMB: usize = 32;
/// The fraction of a double.
pub(super) const MANTISSA: u64 = (1 << 52) - 1;

/// A whole number.
#[derive(Debug, Clone, Default)]
pub(super) struct Whole {
    pub(super) is_negative: bool,
    pub(super) magnitude: Magnitude,
}

impl Whole {
    pub(super) fn of(number: u128) -> Self {
        // Cut to one limb each.
        let limbs = (0..4).map(|limb| (number >> (limb * LIMB)) as u32).collect();
        Self { is_negative: false, magnitude: Magnitude::trimmed(0, limbs) }
    }

    /// The number of these limbs, which may hold more than 32 bits each, with a sign; the first is the one at `first`.
    pub(super) fn of_limbs(first: usize, limbs: &[i64]) -> Self {
        let (settled, carry) = carried(limbs.iter().copied());
        let is_negative = carry < 0;
        let (mut settled, carry) = match is_negative {
            true => carried(limbs.iter().map(|limb| -limb)),
            false => (settled, carry),
        };
        // Cut to one limb, and what is above it.
        settled.extend([carry as u32, (carry >> LIMB) as u32]);
        Self { is_negative, magnitude: Magnitude::trimmed(first, settled) }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.magnitude.limbs.is_empty()
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        let firsts = [self, other].into_iter().filter(|number| !number.is_zero());
        let first = firsts.map(|number| number.magnitude.first).min().unwrap_or(0);
        let mut limbs = vec![0; self.magnitude.end().max(other.magnitude.end()).saturating_sub(first)];
        for (number, sign) in [(self, 1), (other, -1)] {
            let sign = if number.is_negative { -sign } else { sign };
            let places = limbs.iter_mut().skip(number.magnitude.first.saturating_sub(first));
            places.zip(&number.magnitude.limbs).for_each(|(limb, part)| *limb += sign * i64::from(*part));
        }
        Self::of_limbs(first, &limbs)
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        let (left, right) = (&self.magnitude, &other.magnitude);
        let mut limbs = vec![0_u32; left.limbs.len() + right.limbs.len()];
        for (place, one) in left.limbs.iter().enumerate() {
            let mut carry = 0;
            for (limb, other) in limbs[place..].iter_mut().zip(&right.limbs) {
                let sum = u64::from(*limb) + u64::from(*one) * u64::from(*other) + carry;
                // Cut to one limb.
                *limb = sum as u32;
                carry = sum >> LIMB;
            }
            limbs[place + right.limbs.len()] = carry as u32;
        }
        let magnitude = Magnitude::trimmed(left.first + right.first, limbs);
        Self { is_negative: self.is_negative != other.is_negative, magnitude }
    }

    /// The nearest number of 53 bits.
    pub(super) fn scaled(&self) -> ScaledDouble {
        let (bits, exponent) = self.magnitude.rounded();
        let mantissa = bits as f64;
        ScaledDouble { mantissa: if self.is_negative { -mantissa } else { mantissa }, exponent }
    }
}

/// A double with an exponent of its own: `mantissa` times two to the `exponent`.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScaledDouble {
    mantissa: f64,
    exponent: i64,
}

impl ScaledDouble {
    pub(super) fn over(self, other: Self) -> Self {
        Self { mantissa: self.mantissa / other.mantissa, exponent: self.exponent - other.exponent }
    }

    /// The same number of units of two to the `exponent`.
    pub(super) fn in_units(self, exponent: i64) -> Self {
        Self { exponent: self.exponent + exponent, ..self }
    }

    pub(super) fn negated(self) -> Self {
        Self { mantissa: -self.mantissa, ..self }
    }

    pub(super) fn sqrt(self) -> Self {
        let odd = self.exponent.rem_euclid(2);
        let mantissa = if odd == 1 { self.mantissa * 2.0 } else { self.mantissa };
        Self { mantissa: mantissa.sqrt(), exponent: (self.exponent - odd) / 2 }
    }

    /// As a double; infinite or zero beyond those.
    pub(super) fn value(self) -> f64 {
        // No power of two that is multiplied with is beyond doubles.
        const STEP: i32 = 1_000;
        let Self { mut mantissa, mut exponent } = self;
        while exponent.abs() > i64::from(STEP) && mantissa != 0.0 && mantissa.is_finite() {
            let step = if exponent > 0 { STEP } else { -STEP };
            mantissa *= 2_f64.powi(step);
            exponent -= i64::from(step);
        }
        mantissa * 2_f64.powi(i32::try_from(exponent.clamp(-1_000, 1_000)).unwrap_or(0))
    }
}

/// Limbs of 32 bits, none of them zero at either end.
#[derive(Debug, Clone, Default)]
pub(super) struct Magnitude {
    /// How many limbs of zero are below the first.
    pub(super) first: usize,
    pub(super) limbs: Vec<u32>,
}

impl Magnitude {
    fn trimmed(first: usize, mut limbs: Vec<u32>) -> Self {
        let above = limbs.iter().rposition(|limb| *limb != 0).map_or(0, |last| last + 1);
        limbs.truncate(above);
        let below = limbs.iter().take_while(|limb| **limb == 0).count();
        limbs.drain(..below);
        Self { first: if limbs.is_empty() { 0 } else { first + below }, limbs }
    }

    fn end(&self) -> usize {
        self.first + self.limbs.len()
    }

    /// The 53 bits that are nearest, halves to even, and the place of the last; a carry makes them 2^53.
    fn rounded(&self) -> (u64, i64) {
        let Some(top) = self.limbs.last() else { return (0, 0) };
        let bits = self.end() * LIMB - top.leading_zeros() as usize;
        if bits <= 53 {
            return (self.window(0), 0);
        }
        let place = bits - 53;
        let mantissa = self.window(place);
        let is_half = self.bit(place - 1);
        let is_more = (0..place - 1).rev().any(|bit| self.bit(bit));
        let rounds_up = is_half && (is_more || mantissa & 1 == 1);
        (mantissa + u64::from(rounds_up), place as i64)
    }

    /// The nearest double, of so many units of 2^-1074.
    pub(super) fn nearest(&self) -> f64 {
        let (mantissa, place) = self.rounded();
        if place + 1 > 0x7fe {
            return f64::INFINITY;
        }
        // The first of the bits is one more of the exponent, and a carry out of them another; a subnormal double is its
        // units.
        f64::from_bits(((place as u64) << 52) + mantissa)
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
