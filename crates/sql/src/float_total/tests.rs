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
    fn what_is_taken_away_was_never_there(values in doubles(), taken in doubles()) {
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
