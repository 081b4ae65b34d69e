use proptest::prelude::*;

use super::FloatTotal;

fn total(values: &[f64]) -> FloatTotal {
    let mut total = FloatTotal::default();
    values.iter().for_each(|value| total.add(*value, false));
    total
}

#[test]
fn totals_are_rounded_once() {
    assert_eq!(total(&[1e16, 1.0, -1e16]).value().to_bits(), 1.0_f64.to_bits());
    assert_eq!(total(&[0.1; 10]).value().to_bits(), 1.0_f64.to_bits());
    assert_eq!(total(&[f64::MAX, f64::MAX, -f64::MAX]).value().to_bits(), f64::MAX.to_bits());
    assert_eq!(total(&[f64::MAX, f64::MAX]).value(), f64::INFINITY);
    assert_eq!(total(&[5e-324, 5e-324]).value().to_bits(), 1e-323_f64.to_bits());
    assert_eq!(total(&[1.0, 2f64.powi(-53)]).value().to_bits(), 1.0_f64.to_bits());
    assert_eq!(total(&[1.0, 2f64.powi(-53), 5e-324]).value().to_bits(), (1.0 + f64::EPSILON).to_bits());
    assert_eq!(total(&[]).value().to_bits(), 0.0_f64.to_bits());
    assert!(total(&[f64::INFINITY, f64::NEG_INFINITY]).value().is_nan());
    assert_eq!(total(&[f64::NEG_INFINITY, 1.0]).value(), f64::NEG_INFINITY);
}

fn doubles() -> impl Strategy<Value = Vec<f64>> {
    let any = any::<u64>().prop_map(f64::from_bits);
    let money = (-1_000_000_i32..1_000_000).prop_map(|cents| f64::from(cents) / 100.0);
    prop::collection::vec(prop_oneof![any, money.clone(), money], 0..60)
}

proptest! {
    #[test]
    fn any_order_and_any_split_has_the_same_bytes(values in doubles(), order in any::<u64>(), cut in any::<usize>()) {
        let straight = total(&values);
        let mut shuffled = values.clone();
        // A permutation by a multiplicative hash of the place.
        let key = |place: usize| (place as u64 ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut places: Vec<usize> = (0..values.len()).collect();
        places.sort_by_key(|place| key(*place));
        places.iter().enumerate().for_each(|(to, from)| shuffled[to] = values[*from]);
        let cut = if values.is_empty() { 0 } else { cut % values.len() };
        let mut merged = FloatTotal::read(&total(&shuffled[..cut]).bytes()).expect("bytes");
        merged.merge(&total(&shuffled[cut..]));
        prop_assert_eq!(merged.bytes(), straight.bytes());
        prop_assert_eq!(merged.value().to_bits(), straight.value().to_bits());
    }

    #[test]
    fn one_value_is_itself(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite() && value != 0.0);
        prop_assert_eq!(total(&[value]).value().to_bits(), bits);
    }

    #[test]
    fn values_that_are_taken_away_leave_no_trace(values in doubles(), taken in doubles()) {
        let mut total_of_both = total(&values);
        taken.iter().for_each(|value| total_of_both.add(*value, false));
        taken.iter().for_each(|value| total_of_both.add(*value, true));
        prop_assert_eq!(total_of_both.bytes(), total(&values).bytes());
    }

    #[test]
    fn small_totals_are_those_of_whole_numbers(values in prop::collection::vec(-(1_i64 << 53)..1 << 53, 0..40), power in -60..60) {
        let scale = 2f64.powi(power);
        let scaled: Vec<f64> = values.iter().map(|value| *value as f64 * scale).collect();
        let exact = values.iter().map(|value| i128::from(*value)).sum::<i128>() as f64 * scale;
        prop_assert_eq!(total(&scaled).value() + 0.0, exact + 0.0);
    }
}

mod of_pairs {
    //! Statistics beside fractions of whole numbers.

    use arrow::array::{ArrayRef, Float64Array};
    use datafusion::logical_expr::Accumulator;
    use proptest::prelude::*;
    use std::sync::Arc;

    use super::super::aggregates::FloatAggregate;
    use super::super::statistics::Statistic;

    const ALL: [Statistic; 16] = [
        Statistic::Average,
        Statistic::VarianceSample,
        Statistic::VariancePopulation,
        Statistic::DeviationSample,
        Statistic::DeviationPopulation,
        Statistic::CovarianceSample,
        Statistic::CovariancePopulation,
        Statistic::Correlation,
        Statistic::Slope,
        Statistic::Intercept,
        Statistic::R2,
        Statistic::AverageX,
        Statistic::AverageY,
        Statistic::Sxx,
        Statistic::Syy,
        Statistic::Sxy,
    ];

    fn columns(pairs: &[(f64, f64)]) -> Vec<ArrayRef> {
        let (y, x): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        vec![Arc::new(Float64Array::from(y)), Arc::new(Float64Array::from(x))]
    }

    fn value(aggregate: &mut FloatAggregate) -> Option<f64> {
        match aggregate.evaluate().expect("a value") {
            datafusion::common::ScalarValue::Float64(value) => value,
            other => panic!("{other} is no double"),
        }
    }

    fn of(statistic: Statistic, pairs: &[(f64, f64)]) -> Option<f64> {
        let mut aggregate = FloatAggregate::new(statistic);
        aggregate.update_batch(&columns(pairs)).expect("taken in");
        value(&mut aggregate)
    }

    fn near(value: f64, exact: f64) -> bool {
        (value - exact).abs() <= 4.0 * f64::EPSILON * exact.abs()
    }

    #[test]
    fn values_that_have_nearly_all_digits_in_common_lose_none() {
        let large = 1e15;
        let pairs: Vec<_> = [1.0, 2.0, 4.0, 9.0].map(|step| (large + step, 3.0 * (large + step))).into();
        assert_eq!(of(Statistic::VarianceSample, &pairs), Some(12.666_666_666_666_666));
        assert_eq!(of(Statistic::Slope, &pairs), Some(1.0 / 3.0));
        assert_eq!(of(Statistic::Correlation, &pairs), Some(1.0));
        assert_eq!(of(Statistic::R2, &pairs), Some(1.0));
        let tiny = [(1e-200, 1.0), (3e-200, 2.0)];
        assert!(
            of(Statistic::DeviationSample, &tiny).is_some_and(|value| near(value, 2e-200 / 2_f64.sqrt()))
        );
        let huge = [(1e200, 1.0), (3e200, 2.0)];
        assert!(of(Statistic::DeviationPopulation, &huge).is_some_and(|value| near(value, 1e200)));
    }

    #[test]
    fn undefined_statistics_are_null() {
        for statistic in ALL {
            assert_eq!(of(statistic, &[]), None, "{statistic:?}");
        }
        let one = [(5.0, 7.0)];
        assert_eq!(of(Statistic::VarianceSample, &one), None);
        assert_eq!(of(Statistic::VariancePopulation, &one), Some(0.0));
        assert_eq!(of(Statistic::CovarianceSample, &one), None);
        assert_eq!(of(Statistic::Correlation, &one), None);
        assert_eq!(of(Statistic::Slope, &[(1.0, 2.0), (3.0, 2.0)]), None);
        assert_eq!(of(Statistic::R2, &[(1.0, 2.0), (1.0, 3.0)]), Some(1.0));
        assert_eq!(of(Statistic::Correlation, &[(1.0, 2.0), (1.0, 3.0)]), None);
        let infinite = [(f64::INFINITY, 2.0), (1.0, 3.0)];
        assert!(of(Statistic::VarianceSample, &infinite).is_some_and(f64::is_nan));
        assert_eq!(of(Statistic::AverageY, &infinite), Some(f64::INFINITY));
    }

    fn pairs() -> impl Strategy<Value = Vec<(i64, i64)>> {
        let number = || prop_oneof![-1_000_i64..1_000, Just(7_i64), 1_000_000_000_i64..1_000_000_100];
        prop::collection::vec((number(), number()), 2..30)
    }

    proptest! {
        #[test]
        fn they_are_those_of_whole_numbers(whole in pairs(), power in -40..40) {
            let scale = 2f64.powi(power);
            let scaled: Vec<_> = whole.iter().map(|(y, x)| (*y as f64 * scale, *x as f64 * scale)).collect();
            let n = whole.len() as i128;
            let sum = |f: &dyn Fn(i128, i128) -> i128| -> i128 {
                whole.iter().map(|(y, x)| f((*y).into(), (*x).into())).sum()
            };
            let (y, x) = (sum(&|y, _| y), sum(&|_, x| x));
            let syy = (n * sum(&|y, _| y * y) - y * y) as f64;
            let sxx = (n * sum(&|_, x| x * x) - x * x) as f64;
            let syx = (n * sum(&|y, x| y * x) - y * x) as f64;
            let rows = n as f64;
            let square = scale * scale;
            let expected = [
                (Statistic::VarianceSample, Some(syy / (rows * (rows - 1.0)) * square)),
                (Statistic::DeviationPopulation, Some((syy / (rows * rows)).sqrt() * scale)),
                (Statistic::CovarianceSample, Some(syx / (rows * (rows - 1.0)) * square)),
                (Statistic::Sxy, Some(syx / rows * square)),
                (Statistic::Slope, (sxx != 0.0).then(|| syx / sxx)),
                (Statistic::Correlation, (sxx * syy != 0.0).then(|| syx / (sxx.sqrt() * syy.sqrt()))),
            ];
            for (statistic, exact) in expected {
                match (of(statistic, &scaled), exact) {
                    (Some(value), Some(exact)) => prop_assert!(near(value, exact), "{statistic:?}: {value} is not {exact}"),
                    (value, exact) => prop_assert_eq!(value, exact, "{:?}", statistic),
                }
            }
        }

        #[test]
        fn neither_order_nor_split_makes_a_difference(
            bits in prop::collection::vec((any::<u64>(), any::<u64>()), 0..20),
            cut in any::<prop::sample::Index>(),
            taken in 0_usize..5,
        ) {
            let pairs: Vec<_> = bits.iter().map(|(y, x)| (f64::from_bits(*y), f64::from_bits(*x))).collect();
            let backwards: Vec<_> = pairs.iter().rev().copied().collect();
            let cut = if pairs.is_empty() { 0 } else { cut.index(pairs.len()) };
            for statistic in ALL {
                let straight = of(statistic, &pairs).map(f64::to_bits);
                let mut merged = FloatAggregate::new(statistic);
                merged.update_batch(&columns(&backwards[cut..])).expect("taken in");
                let mut other = FloatAggregate::new(statistic);
                other.update_batch(&columns(&backwards[..cut])).expect("taken in");
                let states: Vec<ArrayRef> =
                    other.state().expect("a state").iter().map(|part| part.to_array().expect("an array")).collect();
                merged.merge_batch(&states).expect("merged");
                // What comes and goes again leaves nothing.
                let gone = columns(&pairs[..taken.min(pairs.len())]);
                merged.update_batch(&gone).expect("taken in");
                merged.retract_batch(&gone).expect("taken away");
                prop_assert_eq!(value(&mut merged).map(f64::to_bits), straight, "{:?}", statistic);
            }
        }
    }
}
