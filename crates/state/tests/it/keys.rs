//! Typed keys: the bytes are in the order of the values, and the values come back.

use std::cmp::Ordering;

use factum_state::key::{self, Datum, Decimal, InvalidKey, MAX_DEPTH, NestedTooDeep, SortOrder};
use proptest::prelude::*;

/// The kinds of a column.
#[derive(Debug, Clone)]
enum Kind {
    Bool,
    Integer,
    Float32,
    Float64,
    Decimal,
    Date,
    Timestamp,
    Text,
    Bytes,
    List(Vec<Kind>),
}

fn kinds() -> impl Strategy<Value = Kind> {
    let flat = prop::sample::select(vec![
        Kind::Bool,
        Kind::Integer,
        Kind::Float32,
        Kind::Float64,
        Kind::Decimal,
        Kind::Date,
        Kind::Timestamp,
        Kind::Text,
        Kind::Bytes,
    ]);
    flat.prop_recursive(2, 4, 3, |inner| prop::collection::vec(inner, 1..3).prop_map(Kind::List))
}

/// Numbers near each other and near the ends.
fn integers() -> impl Strategy<Value = i128> {
    prop_oneof![
        -300..300_i128,
        any::<i64>().prop_map(i128::from),
        any::<u64>().prop_map(i128::from),
        any::<i128>(),
        (0..127_u32, -2..3_i128).prop_map(|(power, near)| (1_i128 << power).wrapping_add(near)),
        (0..127_u32, -2..3_i128).prop_map(|(power, near)| near.wrapping_sub(1_i128 << power)),
        Just(i128::MIN),
        Just(i128::MAX),
    ]
}

fn decimals() -> impl Strategy<Value = Datum<'static>> {
    let unscaled = prop_oneof![
        integers(),
        (-30..30_i128, 0..36_u32).prop_map(|(digits, power)| digits * 10_i128.pow(power)),
    ];
    (unscaled, prop_oneof![0..4_i8, any::<i8>()])
        .prop_map(|(unscaled, scale)| Datum::Decimal(Decimal::new(unscaled, scale)))
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(
        prop_oneof![3 => prop::sample::select(vec![0, 1, 0xfe, 0xff, b'a']), 1 => any::<u8>()],
        0..6,
    )
}

fn values(kind: Kind) -> BoxedStrategy<Datum<'static>> {
    let floats = || prop_oneof![2 => prop::num::f64::ANY, 1 => prop::sample::select(vec![0.0, -0.0, 1.0, -1.0, f64::INFINITY])];
    let value = match kind {
        Kind::Bool => any::<bool>().prop_map(Datum::Bool).boxed(),
        Kind::Integer => integers().prop_map(Datum::Integer).boxed(),
        Kind::Float32 => prop::num::f32::ANY.prop_map(Datum::Float32).boxed(),
        Kind::Float64 => floats().prop_map(Datum::Float64).boxed(),
        Kind::Decimal => decimals().boxed(),
        Kind::Date => any::<i32>().prop_map(Datum::Date).boxed(),
        Kind::Timestamp => prop_oneof![any::<i64>(), -3..3_i64].prop_map(Datum::Timestamp).boxed(),
        Kind::Text => prop_oneof!["[\0\u{1}ab\u{ff}\u{10ffff}]{0,4}", ".{0,8}"]
            .prop_map(|text| Datum::Text(text.into()))
            .boxed(),
        Kind::Bytes => bytes().prop_map(|bytes| Datum::Bytes(bytes.into())).boxed(),
        Kind::List(kinds) => {
            // Of a composite, the first values or all of them.
            let all = kinds.into_iter().map(values).collect::<Vec<_>>();
            let length = 0..=all.len();
            (all, length)
                .prop_map(|(mut values, length)| {
                    values.truncate(length);
                    Datum::List(values)
                })
                .boxed()
        }
    };
    prop_oneof![1 => Just(Datum::Null), 6 => value].boxed()
}

fn orders() -> impl Strategy<Value = SortOrder> {
    (any::<bool>(), any::<bool>()).prop_map(|(descending, nulls_first)| SortOrder { descending, nulls_first })
}

/// Columns of a key, and two keys of them.
#[derive(Debug, Clone)]
struct Keys {
    orders: Vec<SortOrder>,
    one: Vec<Datum<'static>>,
    other: Vec<Datum<'static>>,
}

fn keys() -> impl Strategy<Value = Keys> {
    prop::collection::vec((kinds(), orders()), 1..4).prop_flat_map(|columns| {
        let (kinds, orders): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let row = || kinds.iter().cloned().map(values).collect::<Vec<_>>();
        // Most keys begin alike, or later columns would never decide.
        let same = 0..=kinds.len();
        (row(), row(), same, Just(orders)).prop_map(|(one, mut other, same, orders)| {
            other[..same].clone_from_slice(&one[..same]);
            Keys { orders, one, other }
        })
    })
}

/// How SQL orders two values of one kind, without a look at their bytes.
fn compare(one: &Datum<'_>, other: &Datum<'_>, order: SortOrder) -> Ordering {
    let direct = match (one, other) {
        (Datum::Null, Datum::Null) => return Ordering::Equal,
        (Datum::Null, _) => return if order.nulls_first { Ordering::Less } else { Ordering::Greater },
        (_, Datum::Null) => return if order.nulls_first { Ordering::Greater } else { Ordering::Less },
        (Datum::Bool(one), Datum::Bool(other)) => one.cmp(other),
        (Datum::Integer(one), Datum::Integer(other)) => one.cmp(other),
        (Datum::Float32(one), Datum::Float32(other)) => one.total_cmp(other),
        (Datum::Float64(one), Datum::Float64(other)) => one.total_cmp(other),
        (Datum::Decimal(one), Datum::Decimal(other)) => compare_decimals(one, other),
        (Datum::Date(one), Datum::Date(other)) => one.cmp(other),
        (Datum::Timestamp(one), Datum::Timestamp(other)) => one.cmp(other),
        (Datum::Text(one), Datum::Text(other)) => one.cmp(other),
        (Datum::Bytes(one), Datum::Bytes(other)) => one.cmp(other),
        (Datum::List(one), Datum::List(other)) => {
            let pairs = one.iter().zip(other);
            let different = pairs
                .map(|(one, other)| compare(one, other, SortOrder::ASCENDING))
                .find(|order| order.is_ne());
            different.unwrap_or_else(|| one.len().cmp(&other.len()))
        }
        kinds => panic!("two kinds: {kinds:?}"),
    };
    if order.descending { direct.reverse() } else { direct }
}

/// By writing both out in full: the sign, then the digits before and behind the point.
fn compare_decimals(one: &Decimal, other: &Decimal) -> Ordering {
    let written = |value: &Decimal| {
        let (unscaled, scale) = (-128..=127_i8)
            .find_map(|scale| value.unscaled(scale).map(|unscaled| (unscaled, i32::from(scale))))
            .expect("some column has it");
        let digits = unscaled.unsigned_abs().to_string();
        let places = usize::try_from(scale + 128).expect("not negative");
        let (before, behind) = (400_usize - digits.len() - (256 - places), 256 - places);
        (unscaled.signum(), format!("{}{digits}{}", "0".repeat(before), "0".repeat(behind)))
    };
    let ((sign, absolute), (other_sign, other_absolute)) = (written(one), written(other));
    sign.cmp(&other_sign).then_with(|| match sign {
        -1 => other_absolute.cmp(&absolute),
        _ => absolute.cmp(&other_absolute),
    })
}

fn encode(values: &[Datum<'_>], orders: &[SortOrder]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (value, order) in values.iter().zip(orders) {
        key::push(&mut bytes, value, *order).expect("not deep");
    }
    bytes
}

fn is_same(one: &Datum<'_>, other: &Datum<'_>) -> bool {
    // Equality of floats is not that of their order.
    compare(one, other, SortOrder::ASCENDING).is_eq()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn keys_have_the_order_of_their_values(keys in keys()) {
        let Keys { orders, one, other } = keys;
        let pairs = one.iter().zip(&other).zip(&orders);
        let expected = pairs
            .map(|((one, other), order)| compare(one, other, *order))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal);
        prop_assert_eq!(encode(&one, &orders).cmp(&encode(&other, &orders)), expected);
    }

    #[test]
    fn values_of_a_key_come_back(keys in keys()) {
        let bytes = encode(&keys.one, &keys.orders);
        let mut rest = bytes.as_slice();
        for value in &keys.one {
            let found = key::take(&mut rest).expect("a value");
            prop_assert!(is_same(&found, value), "{:?} came back as {:?}", value, found);
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn the_first_values_of_a_key_begin_no_other_key(keys in keys(), count in 1..3_usize) {
        let Keys { orders, one, other } = keys;
        let count = count.min(one.len());
        let prefix = encode(&one[..count], &orders);
        let is_shared = one[..count].iter().zip(&other).all(|(one, other)| is_same(one, other));
        prop_assert_eq!(encode(&other, &orders).starts_with(&prefix), is_shared);
    }

    #[test]
    fn any_bytes_are_one_value_or_none(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut rest = bytes.as_slice();
        while let Ok(value) = key::take(&mut rest) {
            let taken = &bytes[..bytes.len() - rest.len()];
            // Which order it was pushed in is in the bytes: one of these.
            let again = [false, true].map(|nulls_first| [false, true].map(|descending| SortOrder { descending, nulls_first }));
            let forms: Vec<_> = again.as_flattened().iter().map(|order| encode(std::slice::from_ref(&value), &[*order])).collect();
            prop_assert!(forms.iter().any(|form| taken.ends_with(form)), "{:?} is {:?} and not {:?}", value, taken, forms);
        }
    }
}

#[test]
fn every_truncation_of_a_key_is_noticed() {
    let value = Datum::List(vec![
        Datum::Integer(70_000),
        Datum::Text("a\0b".into()),
        Datum::Decimal(Decimal::new(-1_230, 2)),
        Datum::Float64(1.5),
        Datum::Null,
    ]);
    for order in [SortOrder::ASCENDING, SortOrder::DESCENDING] {
        let whole = encode(std::slice::from_ref(&value), &[order]);
        for length in 0..whole.len() {
            assert_eq!(key::take(&mut &whole[..length]), Err(InvalidKey), "{length} of {}", whole.len());
        }
        assert_eq!(key::take(&mut whole.as_slice()), Ok(value.clone()));
    }
}

#[test]
fn lists_nested_too_deep_are_refused_and_leave_the_key_as_it_was() {
    let nested = |depth| (0..depth).fold(Datum::Null, |inner, _| Datum::List(vec![inner]));
    let mut bytes = vec![1];
    assert_eq!(key::push(&mut bytes, &nested(MAX_DEPTH + 1), SortOrder::DESCENDING), Err(NestedTooDeep));
    assert_eq!(bytes, [1]);
    bytes.clear();
    key::push(&mut bytes, &nested(MAX_DEPTH), SortOrder::ASCENDING).expect("just deep enough");
    assert_eq!(key::take(&mut bytes.as_slice()), Ok(nested(MAX_DEPTH)));
    assert_eq!(key::take(&mut [0x50; 10_000].as_slice()), Err(InvalidKey));
}

/// The bytes that docs/format/state.md names.
#[test]
fn forms_of_values_are_as_documented() {
    let hex = |value: Datum<'_>, order| {
        let bytes = encode(std::slice::from_ref(&value), &[order]);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
    };
    let (up, down) = (SortOrder::ASCENDING, SortOrder::DESCENDING);
    let decimal = |unscaled, scale| Datum::Decimal(Decimal::new(unscaled, scale));
    for (value, ascending, descending) in [
        (Datum::Null, "7f", "80"),
        (Datum::Bool(true), "05", "fa"),
        (Datum::Integer(0), "20", "df"),
        (Datum::Integer(258), "22 01 02", "dd fe fd"),
        (Datum::Integer(-1), "1f fe", "e0 01"),
        (Datum::Float32(1.0), "34 bf 80 00 00", "cb 40 7f ff ff"),
        (Datum::Float64(-1.0), "35 40 0f ff ff ff ff ff ff", "ca bf f0 00 00 00 00 00 00"),
        (decimal(123, 4), "3a 7f ff 0d 1f 00", "c5 80 00 f2 e0 ff"),
        (decimal(-150, 2), "38 7f fe ef ff", "c7 80 01 10 00"),
        (decimal(0, 3), "39", "c6"),
        (Datum::Date(1), "40 80 00 00 01", "bf 7f ff ff fe"),
        (Datum::Time(-1), "41 7f ff ff ff ff ff ff ff", "be 80 00 00 00 00 00 00 00"),
        (Datum::Timestamp(1), "42 80 00 00 00 00 00 00 01", "bd 7f ff ff ff ff ff ff fe"),
        (Datum::Text("a\0".into()), "48 61 00 ff 00 01", "b7 9e ff 00 ff fe"),
        (Datum::Bytes([1].as_slice().into()), "49 01 00 01", "b6 fe ff fe"),
        (Datum::List(vec![Datum::Integer(1), Datum::Null]), "50 21 01 7f 00", "af de fe 80 ff"),
    ] {
        assert_eq!(
            (hex(value.clone(), up).as_str(), hex(value.clone(), down).as_str()),
            (ascending, descending),
            "{value:?}"
        );
    }
    assert_eq!(hex(Datum::Null, SortOrder { descending: false, nulls_first: true }), "01");
    assert_eq!(hex(Datum::Null, SortOrder { descending: true, nulls_first: false }), "fe");
}
