//! `avg` that is rounded, and the same in any order.
//!
//! DataFusion's own cuts averages of decimals and adds doubles one after the other. Here decimals are added in 192 bits
//! and divided once, the last digit rounded, halves away from zero, as PostgreSQL's numeric does; doubles have an exact
//! total ([`crate::float_total`]).
//!
//! Types are DataFusion's: `avg(decimal(p, s))` is decimal(p + 4, s + 4), up to 38; integers are averaged as doubles.
//! Distinct decimals and durations are left to DataFusion.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, PrimitiveArray};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type, i256};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};

use crate::float_total::aggregates::{self, FloatAggregate, FloatGroups};
use crate::float_total::statistics::Statistic;
use crate::row_errors;
use crate::sum::add;

/// Digits of a decimal of 128 bits.
const DIGITS: u8 = 38;

/// `avg`, also `mean`, in the place of DataFusion's.
pub(crate) fn avg() -> AggregateUDF {
    AggregateUDF::new_from_impl(ExactAverage {
        signature: avg_udaf().signature().clone(),
        aliases: avg_udaf().aliases().to_vec(),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExactAverage {
    signature: Signature,
    aliases: Vec<String>,
}

/// What is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    Doubles,
    Decimals {
        scale: i8,
        digits: u8,
        result_scale: i8,
    },
    /// DataFusion's to average.
    Others,
}

impl Values {
    fn of(values: &DataType, result: &DataType) -> Self {
        match (values, result) {
            (DataType::Float64, DataType::Float64) => Self::Doubles,
            (DataType::Decimal128(_, scale), DataType::Decimal128(digits, result_scale)) => {
                Self::Decimals { scale: *scale, digits: *digits, result_scale: *result_scale }
            }
            _ => Self::Others,
        }
    }

    fn in_args(args: &AccumulatorArgs<'_>) -> Self {
        let values = args.expr_fields.first().map_or(&DataType::Null, |field| field.data_type());
        Self::of(values, args.return_field.data_type())
    }
}

impl AggregateUDFImpl for ExactAverage {
    fn name(&self) -> &str {
        "avg"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        avg_udaf().coerce_types(types)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        avg_udaf().return_type(arguments)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(match (Values::in_args(&args), args.is_distinct) {
            (Values::Doubles, true) => {
                aggregates::of_distinct(avg_udaf().accumulator(args)?, Statistic::Average)
            }
            (Values::Doubles, false) => Box::new(FloatAggregate::new(Statistic::Average)),
            (Values::Decimals { scale, digits, result_scale }, false) => Box::new(Average {
                decimals: Decimals { name: args.name.to_owned(), scale, digits, result_scale },
                total: Total::default(),
            }),
            _ => avg_udaf().accumulator(args)?,
        })
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return avg_udaf().inner().create_sliding_accumulator(args);
        }
        self.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let values = args.input_fields.first().map_or(&DataType::Null, |field| field.data_type());
        match Values::of(values, args.return_field.data_type()) {
            Values::Doubles if !args.is_distinct => Ok(aggregates::state_fields(args.name)),
            Values::Decimals { scale, .. } if !args.is_distinct => {
                let field = |part, kind| Arc::new(Field::new(format_state_name(args.name, part), kind, true));
                let low = DataType::Decimal128(DIGITS, scale);
                Ok(vec![field("low", low), field("high", DataType::Int64), field("count", DataType::Int64)])
            }
            _ => avg_udaf().state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
            && (Values::in_args(&args) != Values::Others
                || avg_udaf().inner().groups_accumulator_supported(args))
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match Values::in_args(&args) {
            Values::Doubles => Ok(Box::new(FloatGroups::new(Statistic::Average))),
            Values::Decimals { scale, digits, result_scale } => {
                let decimals = Decimals { name: args.name.to_owned(), scale, digits, result_scale };
                Ok(Box::new(GroupAverages { decimals, totals: Vec::new() }))
            }
            Values::Others => avg_udaf().inner().create_groups_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// How decimals are averaged.
#[derive(Debug)]
struct Decimals {
    name: String,
    scale: i8,
    digits: u8,
    result_scale: i8,
}

/// A total of 192 bits and how many values it has.
#[derive(Debug, Clone, Copy, Default)]
struct Total {
    low: i128,
    high: i64,
    count: i64,
}

impl Total {
    fn add(&mut self, value: i128) {
        self.high += add(&mut self.low, value);
        self.count += 1;
    }

    fn merge(&mut self, low: i128, high: i64, count: i64) {
        self.high += add(&mut self.low, low) + high;
        self.count += count;
    }
}

impl Decimals {
    /// The average; none of no values.
    fn of(&self, total: &Total) -> Result<Option<i128>> {
        if total.count == 0 {
            return Ok(None);
        }
        // The lower half as its bits; a negative one borrows from the upper.
        let borrowed = i128::from(total.low < 0);
        let sum = i256::from_parts(total.low as u128, i128::from(total.high) - borrowed);
        let more_digits = u32::from((self.result_scale - self.scale).unsigned_abs());
        let scaled = sum.checked_mul(i256::from_i128(10_i128.pow(more_digits)));
        let count = i256::from_i128(i128::from(total.count));
        let average = scaled.and_then(|scaled| {
            let (cut, rest) = (scaled.checked_div(count)?, scaled.checked_rem(count)?);
            let is_half = rest.wrapping_abs() >= count.wrapping_sub(rest.wrapping_abs());
            let last = match (is_half, scaled.is_negative()) {
                (false, _) => i256::ZERO,
                (true, false) => i256::ONE,
                (true, true) => i256::MINUS_ONE,
            };
            cut.checked_add(last)?.to_i128()
        });
        let most = 10_i128.pow(u32::from(self.digits)) - 1;
        match average.filter(|average| (-most..=most).contains(average)) {
            Some(average) => Ok(Some(average)),
            None => exec_err!(
                "{} has more digits than its type decimal({}, {})",
                self.name,
                self.digits,
                self.result_scale
            ),
        }
    }

    fn result(&self) -> DataType {
        DataType::Decimal128(self.digits, self.result_scale)
    }
}

/// One average.
#[derive(Debug)]
struct Average {
    decimals: Decimals,
    total: Total,
}

impl Accumulator for Average {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        decimals(&values[0]).iter().flatten().for_each(|value| self.total.add(value));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in decimals(&values[0]).iter().flatten() {
            self.total.merge(value.wrapping_neg(), 0, -1);
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        each_state(states, |_, low, high, count| self.total.merge(low, high, count))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let Total { low, high, count } = self.total;
        let low = ScalarValue::Decimal128(Some(low), DIGITS, self.decimals.scale);
        Ok(vec![low, ScalarValue::Int64(Some(high)), ScalarValue::Int64(Some(count))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Decimals { digits, result_scale, .. } = self.decimals;
        Ok(ScalarValue::Decimal128(self.decimals.of(&self.total)?, digits, result_scale))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.decimals.name.capacity()
    }
}

/// The averages of many groups.
#[derive(Debug)]
struct GroupAverages {
    decimals: Decimals,
    totals: Vec<Total>,
}

impl GroupsAccumulator for GroupAverages {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.totals.resize(count, Total::default());
        let counts = |row| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        for (row, (value, group)) in decimals(&values[0]).iter().zip(groups).enumerate() {
            if let Some(value) = value.filter(|_| counts(row)) {
                self.totals[*group].add(value);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.totals.resize(count, Total::default());
        each_state(states, |row, low, high, count| self.totals[groups[row]].merge(low, high, count))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let totals = emit_to.take_needed(&mut self.totals);
        let averages = totals.iter().enumerate();
        let averages = averages.map(|(group, total)| row_errors::or_null(group, self.decimals.of(total)));
        let averages: PrimitiveArray<Decimal128Type> = averages.collect::<Result<_>>()?;
        Ok(Arc::new(averages.with_data_type(self.decimals.result())))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let totals = emit_to.take_needed(&mut self.totals);
        let low: Decimal128Array = totals.iter().map(|total| Some(total.low)).collect();
        let high: Int64Array = totals.iter().map(|total| Some(total.high)).collect();
        let count: Int64Array = totals.iter().map(|total| Some(total.count)).collect();
        let low = low.with_data_type(DataType::Decimal128(DIGITS, self.decimals.scale));
        Ok(vec![Arc::new(low), Arc::new(high), Arc::new(count)])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let groups: Vec<_> = (0..values[0].len()).collect();
        let Decimals { scale, digits, result_scale, .. } = self.decimals;
        let decimals = Decimals { name: String::new(), scale, digits, result_scale };
        let mut each = Self { decimals, totals: Vec::new() };
        each.update_batch(values, &groups, filter, groups.len())?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.totals.capacity() * size_of::<Total>()
    }
}

fn decimals(values: &ArrayRef) -> &PrimitiveArray<Decimal128Type> {
    values.as_primitive()
}

fn each_state(states: &[ArrayRef], mut merge: impl FnMut(usize, i128, i64, i64)) -> Result<()> {
    let [low, high, count] = states else {
        return internal_err!("an average has {} columns of state", states.len());
    };
    let (high, count) = (high.as_primitive::<Int64Type>(), count.as_primitive::<Int64Type>());
    for (row, low) in decimals(low).iter().enumerate() {
        if let Some(low) = low {
            merge(row, low, high.value(row), count.value(row));
        }
    }
    Ok(())
}
