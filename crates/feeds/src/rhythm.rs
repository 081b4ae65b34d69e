//! The rhythm of a day, and where in the world it is evening.

use factum_types::Timestamp;

/// How busy a shop is by the hour of its customers' clocks, from midnight on: asleep, at lunch, after dinner.
const DAY: [f64; 24] = [
    0.52, 0.33, 0.21, 0.15, 0.13, 0.17, 0.31, 0.56, 0.82, 1.00, 1.10, 1.20, 1.31, 1.24, 1.14, 1.12, 1.20,
    1.36, 1.58, 1.82, 1.95, 1.80, 1.36, 0.86,
];
/// Hours between the clocks of a region and UTC, in the order in which regions are named.
const OFFSETS: [i64; 4] = [-6, 1, 8, -3];
/// How many of all customers are of the first region, of the second …: each has this share of what is left.
const SHARE: f64 = 0.6;
const HOUR_MILLIS: i64 = 3_600_000;

/// Slow waves over the day's curve, so that no two minutes look alike: period in minutes, height.
const WAVES: [(f64, f64); 2] = [(11.0, 0.07), (3.7, 0.05)];

/// When how many orders are placed, and from which region. The mean over a day is 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Rhythm {
    /// Of each region: its share of all orders, and its clock's distance from UTC in milliseconds.
    regions: Vec<(f64, i64)>,
}

impl Rhythm {
    /// A rhythm for this many regions, of which there is at least one.
    pub(crate) fn of(regions: usize) -> Self {
        let mut left = 1.0;
        let shares = (0..regions).map(|at| {
            let share = if at + 1 == regions { left } else { left * SHARE };
            left -= share;
            (share, OFFSETS[at % OFFSETS.len()] * HOUR_MILLIS)
        });
        Self { regions: shares.collect() }
    }

    /// How many orders come at `at`, compared with the mean.
    pub(crate) fn pace(&self, at: Timestamp) -> f64 {
        let minutes = at.as_millis() as f64 / 60_000.0;
        let wave = |(period, height): (f64, f64)| height * (minutes / period * std::f64::consts::TAU).sin();
        let waves: f64 = WAVES.into_iter().map(wave).sum();
        let day: f64 = (0..self.regions.len()).map(|region| self.part(region, at)).sum();
        day * (1.0 + waves)
    }

    /// More than this the pace never is.
    pub(crate) fn peak() -> f64 {
        let highest = DAY.iter().copied().fold(0.0, f64::max) / mean();
        highest * (1.0 + WAVES.iter().map(|(_, height)| height).sum::<f64>())
    }

    /// Which region an order of `at` is from, given a number in [0, 1).
    pub(crate) fn region(&self, at: Timestamp, unit: f64) -> usize {
        let last = self.regions.len() - 1;
        let total: f64 = (0..=last).map(|region| self.part(region, at)).sum();
        let mut left = unit * total;
        (0..last)
            .find(|region| {
                left -= self.part(*region, at);
                left < 0.0
            })
            .unwrap_or(last)
    }

    fn part(&self, region: usize, at: Timestamp) -> f64 {
        let (share, offset) = self.regions[region];
        let of_day = (at.as_millis() + offset).rem_euclid(24 * HOUR_MILLIS);
        let hour = usize::try_from(of_day / HOUR_MILLIS).expect("a day has 24 hours");
        let within = (of_day % HOUR_MILLIS) as f64 / HOUR_MILLIS as f64;
        let curve = DAY[hour] * (1.0 - within) + DAY[(hour + 1) % 24] * within;
        share * curve / mean()
    }
}

fn mean() -> f64 {
    DAY.iter().sum::<f64>() / 24.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_brings_the_mean_and_has_a_night() {
        for regions in 1..5 {
            let rhythm = Rhythm::of(regions);
            let paces: Vec<f64> =
                (0..24 * 60).map(|minute| rhythm.pace(Timestamp::from_millis(minute * 60_000))).collect();
            let mean = paces.iter().sum::<f64>() / paces.len() as f64;
            let (low, high) =
                paces.iter().fold((f64::MAX, 0.0_f64), |(low, high), p| (low.min(*p), high.max(*p)));
            assert!((mean - 1.0).abs() < 0.01, "{regions} regions: {mean}");
            assert!(
                low < 0.75 && high > 1.25 && high <= Rhythm::peak(),
                "{regions} regions: {low} to {high}"
            );
        }
    }

    #[test]
    fn the_second_region_is_awake_while_the_first_sleeps() {
        let rhythm = Rhythm::of(2);
        let share_of_first = |hour: i64| {
            let at = Timestamp::from_millis(hour * HOUR_MILLIS);
            (0..1_000).filter(|draw| rhythm.region(at, f64::from(*draw) / 1_000.0) == 0).count()
        };
        // Nine in the morning in Europe; nine in the evening in America.
        assert!(share_of_first(8) < 350, "{}", share_of_first(8));
        assert!(share_of_first(3) > 850, "{}", share_of_first(3));
    }
}
