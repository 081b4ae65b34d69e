//! Totals beyond what their type holds, and DataFusion beside.

use arrow::array::{Array, ArrayRef, Decimal128Array, Int64Array, UInt64Array};
use arrow::compute::concat;
use arrow::datatypes::Schema;
use datafusion::logical_expr::EmitTo;
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::col;
use proptest::prelude::*;

use super::*;

/// `sum(x)` over a column of this type.
fn sum_of(function: AggregateUDF, kind: &DataType, is_distinct: bool) -> AggregateFunctionExpr {
    let schema = Arc::new(Schema::new(vec![Field::new("x", kind.clone(), true)]));
    let column = col("x", &schema).expect("a column");
    let mut builder =
        AggregateExprBuilder::new(Arc::new(function), vec![column]).schema(schema).alias("sum(x)");
    if is_distinct {
        builder = builder.distinct();
    }
    builder.build().expect("a sum")
}

fn decimals(values: &[i128]) -> ArrayRef {
    let array = Decimal128Array::from(values.to_vec());
    Arc::new(array.with_precision_and_scale(38, 2).expect("38 digits"))
}

const LARGEST: i128 = 10_i128.pow(38) - 1;

#[test]
fn a_total_that_does_not_fit_is_an_error_until_it_fits_again() {
    let sum = sum_of(sum(), &DataType::Int64, false);
    let mut groups = sum.create_groups_accumulator().expect("groups");
    let large: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, 1, 5]));
    groups.update_batch(&[large], &[0, 0, 1], None, 2).expect("taken in");
    let state = groups.state(EmitTo::All).expect("the state is exact");
    let merged = |more: Vec<i64>| {
        let mut groups = sum.create_groups_accumulator().expect("groups");
        groups.merge_batch(&state, &[0, 1], 2).expect("merged");
        let ids = vec![0; more.len()];
        groups.update_batch(&[Arc::new(Int64Array::from(more))], &ids, None, 2).expect("taken in");
        groups.evaluate(EmitTo::All)
    };
    let error = merged(vec![]).expect_err("too large");
    assert!(error.to_string().contains("sum(x) is too large for a bigint"), "{error}");
    let total = merged(vec![-1]).expect("it fits");
    assert_eq!(&*total, &Int64Array::from(vec![i64::MAX, 5]) as &dyn Array);
    let total = merged(vec![i64::MIN; 2]).expect("it fits");
    assert_eq!(&*total, &Int64Array::from(vec![i64::MIN, 5]) as &dyn Array);
}

#[test]
fn decimals_are_exact_beyond_128_bits() {
    let sum = sum_of(sum(), &DataType::Decimal128(38, 2), false);
    let mut groups = sum.create_groups_accumulator().expect("groups");
    for values in [[LARGEST; 5], [LARGEST; 5]] {
        groups.update_batch(&[decimals(&values)], &[1; 5], None, 2).expect("taken in");
    }
    let state = groups.state(EmitTo::All).expect("the state is exact");
    let mut groups = sum.create_groups_accumulator().expect("groups");
    groups.merge_batch(&state, &[1, 1], 2).expect("merged");
    assert!(groups.evaluate(EmitTo::All).is_err());
    let mut groups = sum.create_groups_accumulator().expect("groups");
    groups.update_batch(&[decimals(&[-LARGEST; 9])], &[0; 9], None, 2).expect("taken in");
    groups.merge_batch(&state, &[0, 0], 2).expect("merged");
    assert_eq!(&groups.evaluate(EmitTo::First(1)).expect("it fits"), &decimals(&[LARGEST]));
    let mut one = sum.create_accumulator().expect("one");
    one.merge_batch(&state).expect("merged");
    let error = one.evaluate().expect_err("too many digits");
    assert!(error.to_string().contains("sum(x) has more than 38 digits"), "{error}");
    one.update_batch(&[decimals(&[-LARGEST; 11])]).expect("taken in");
    assert_eq!(
        one.evaluate().expect("it fits").to_array().expect("a value").as_ref(),
        &decimals(&[-LARGEST])
    );
}

#[test]
fn a_window_slides_back_from_an_overflow() {
    let sum = sum_of(sum(), &DataType::Decimal128(38, 2), false);
    let mut window = sum.create_sliding_accumulator().expect("a window");
    window.update_batch(&[decimals(&[LARGEST, LARGEST])]).expect("taken in");
    assert!(window.evaluate().is_err());
    window.retract_batch(&[decimals(&[LARGEST])]).expect("taken out");
    assert_eq!(
        window.evaluate().expect("it fits").to_array().expect("a value").as_ref(),
        &decimals(&[LARGEST])
    );
}

#[test]
fn distinct_values_are_added_exactly() {
    let sum = sum_of(sum(), &DataType::UInt64, true);
    let mut distinct = sum.create_accumulator().expect("one");
    let values: ArrayRef = Arc::new(UInt64Array::from(vec![Some(u64::MAX), Some(u64::MAX), None]));
    distinct.update_batch(&[values]).expect("taken in");
    assert_eq!(distinct.evaluate().expect("it fits"), u64::MAX.into());
    distinct.update_batch(&[Arc::new(UInt64Array::from(vec![7]))]).expect("taken in");
    assert!(distinct.evaluate().is_err());
}

proptest! {
    #[test]
    fn totals_that_fit_are_those_of_datafusion(
        batches in prop::collection::vec(prop::collection::vec((0..4_usize, prop::option::of(-1_000_000..1_000_000_i64), any::<bool>()), 0..20), 0..6),
    ) {
        let (ours, theirs) = (sum_of(sum(), &DataType::Int64, false), sum_of((*sum_udaf()).clone(), &DataType::Int64, false));
        let total = |function: &AggregateFunctionExpr| {
            let mut states: Vec<Vec<ArrayRef>> = Vec::new();
            for batch in &batches {
                let mut groups = function.create_groups_accumulator().expect("groups");
                let values: ArrayRef = Arc::new(Int64Array::from(batch.iter().map(|(_, value, _)| *value).collect::<Vec<_>>()));
                let ids: Vec<_> = batch.iter().map(|(group, _, _)| *group).collect();
                let filter = arrow::array::BooleanArray::from(batch.iter().map(|(_, _, is_in)| *is_in).collect::<Vec<_>>());
                groups.update_batch(&[values], &ids, Some(&filter), 4).expect("taken in");
                states.push(groups.state(EmitTo::All).expect("a state"));
            }
            let mut groups = function.create_groups_accumulator().expect("groups");
            for state in &states {
                groups.merge_batch(state, &[0, 1, 2, 3], 4).expect("merged");
            }
            if states.is_empty() { None } else { Some(groups.evaluate(EmitTo::All).expect("it fits")) }
        };
        let (ours, theirs) = (total(&ours), total(&theirs));
        prop_assert_eq!(ours.is_some(), theirs.is_some());
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            prop_assert_eq!(&ours, &theirs);
            prop_assert_eq!(concat(&[&*ours]).expect("one").null_count(), theirs.null_count());
        }
    }
}
