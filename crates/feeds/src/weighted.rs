//! Draws with weights, in constant time.

use crate::dice::Dice;

/// Walker's alias method in Vose's form (1991): each slot holds one item and the alias that fills it up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WeightedChoice {
    keep: Vec<f32>,
    alias: Vec<u32>,
}

impl WeightedChoice {
    /// Draws item `i` in proportion to the `i`-th weight. Weights are positive and there is at least one.
    pub(crate) fn new(weights: &[f64]) -> Self {
        let count = weights.len();
        assert!(count > 0 && u32::try_from(count).is_ok(), "there is something to draw");
        let mean = weights.iter().sum::<f64>() / count as f64;
        let mut share: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..count).partition(|at| share[*at] < 1.0);
        let (mut keep, mut alias) = (vec![1.0_f32; count], vec![0_u32; count]);
        while let (Some(low), Some(high)) = (small.pop(), large.pop()) {
            keep[low] = share[low] as f32;
            alias[low] = u32::try_from(high).expect("checked above");
            share[high] -= 1.0 - share[low];
            if share[high] < 1.0 { small.push(high) } else { large.push(high) }
        }
        Self { keep, alias }
    }

    /// The law of Zipf and Mandelbrot for `count` ranks: the weight of rank r is 1 ÷ (r + `flat`)^`steep`, r from 1.
    pub(crate) fn zipf(count: usize, steep: f64, flat: f64) -> Self {
        let weights: Vec<f64> = (1..=count).map(|rank| (rank as f64 + flat).powf(-steep)).collect();
        Self::new(&weights)
    }

    /// One item, from 0.
    pub(crate) fn draw(&self, dice: &mut Dice) -> usize {
        let slot = dice.below(u32::try_from(self.keep.len()).expect("checked when made"));
        match dice.unit() < f64::from(self.keep[slot as usize]) {
            true => slot as usize,
            false => self.alias[slot as usize] as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_item_comes_as_often_as_its_weight_says(
            weights in prop::collection::vec(0.1_f64..10.0, 1..12),
            seed: u64,
        ) {
            const DRAWS: usize = 40_000;
            let (weighted, mut dice) = (WeightedChoice::new(&weights), Dice::new(seed, 0));
            let mut counts = vec![0_usize; weights.len()];
            for _ in 0..DRAWS {
                counts[weighted.draw(&mut dice)] += 1;
            }
            let total: f64 = weights.iter().sum();
            for (weight, count) in weights.iter().zip(counts) {
                let expected = weight / total;
                let found = count as f64 / DRAWS as f64;
                prop_assert!((found - expected).abs() < 0.02, "{found} instead of {expected}");
            }
        }
    }
}
