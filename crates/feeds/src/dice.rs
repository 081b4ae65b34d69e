//! Dice that fall the same way for the same seed.
//!
//! Randomness that must not repeat (ids) comes from `base`; this is arithmetic on a seed.

/// SplitMix64 (Steele, Lea and Flood, 2014): small, fast, and good enough to draw films with.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice for one `stream` of draws under `seed`; streams do not overlap in practice.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self(seed ^ mix(stream.wrapping_add(0x632b_e59b_d9b4_e019)));
        dice.word();
        dice
    }

    /// Sixty-four random bits.
    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound` (Lemire, 2019, without the rejection: the bias is below 2⁻³²).
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let word = self.word() >> 32;
        u32::try_from((word * u64::from(bound)) >> 32).expect("a product of two halves, shifted by a half")
    }

    /// A number in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something with this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A waiting time whose mean is 1: arrivals that know nothing of each other.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// One of `choices`, which are not empty.
    pub(crate) fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let bound = u32::try_from(choices.len()).expect("a table written by hand");
        &choices[self.below(bound) as usize]
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_a_seed_differ_and_repeat() {
        let draw = |seed, stream| Dice::new(seed, stream).word();
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn draws_spread_evenly() {
        let mut dice = Dice::new(1, 1);
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            counts[dice.below(6) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
        let mean: f64 = (0..60_000).map(|_| dice.exponential()).sum::<f64>() / 60_000.0;
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
    }
}
