//! `sum` that is right or an error, and never something else.
//!
//! DataFusion's own adds with wrapping: one step beyond the largest bigint it answers with the smallest. Here
//! integers, decimals and durations are added in 192 bits, so that no number of rows overflows the state.
//!
//! Invariants: a state is the exact total of its rows. A total that the type of the result cannot hold is an
//! error of a reading, and none any more once later values bring it back.
//!
//! Types are DataFusion's: `sum(bigint)` is bigint, `sum(decimal(p, s))` is decimal(38, s). Doubles have an exact total
//! too ([`crate::float_total`]). Intervals and decimals of 256 bits are left to DataFusion.

mod groups;
mod total;

use std::sync::Arc;

use arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Field, FieldRef, Int64Type, TimeUnit, UInt64Type,
};
use datafusion::common::Result;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature,
};

use crate::float_total::aggregates::{self, FloatAggregate, FloatGroups};
use crate::float_total::statistics::Statistic;
use groups::GroupTotals;
pub(crate) use total::add;
use total::{Sum, Summand, of_distinct};

/// `sum`, in the place of DataFusion's.
pub(crate) fn sum() -> AggregateUDF {
    AggregateUDF::new_from_impl(ExactSum { signature: sum_udaf().signature().clone() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExactSum {
    signature: Signature,
}

/// Builds `$accumulator::<T>` for the type of a result, or whatever DataFusion has.
macro_rules! by_type {
    ($args:ident, $accumulator:ident, $otherwise:expr) => {{
        let result = $args.return_field.data_type().clone();
        let name = $args.name;
        Ok(match result {
            DataType::Int64 => Box::new($accumulator::<Int64Type>::new(name, result)),
            DataType::UInt64 => Box::new($accumulator::<UInt64Type>::new(name, result)),
            DataType::Decimal32(..) => Box::new($accumulator::<Decimal32Type>::new(name, result)),
            DataType::Decimal64(..) => Box::new($accumulator::<Decimal64Type>::new(name, result)),
            DataType::Decimal128(..) => Box::new($accumulator::<Decimal128Type>::new(name, result)),
            DataType::Duration(TimeUnit::Second) => {
                Box::new($accumulator::<DurationSecondType>::new(name, result))
            }
            DataType::Duration(TimeUnit::Millisecond) => {
                Box::new($accumulator::<DurationMillisecondType>::new(name, result))
            }
            DataType::Duration(TimeUnit::Microsecond) => {
                Box::new($accumulator::<DurationMicrosecondType>::new(name, result))
            }
            DataType::Duration(TimeUnit::Nanosecond) => {
                Box::new($accumulator::<DurationNanosecondType>::new(name, result))
            }
            _ => $otherwise?,
        })
    }};
}

impl AggregateUDFImpl for ExactSum {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        sum_udaf().return_type(arguments)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let is_double = *args.return_field.data_type() == DataType::Float64;
        if args.is_distinct {
            let (name, result) = (args.name.to_owned(), args.return_field.data_type().clone());
            let values = sum_udaf().accumulator(args)?;
            return match is_double {
                true => Ok(aggregates::of_distinct(values, Statistic::Sum)),
                false => Ok(of_distinct(&name, result, values)),
            };
        }
        if is_double {
            return Ok(Box::new(FloatAggregate::new(Statistic::Sum)));
        }
        by_type!(args, Sum, sum_udaf().accumulator(args))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            let (name, result) = (args.name.to_owned(), args.return_field.data_type().clone());
            return Ok(of_distinct(&name, result, sum_udaf().inner().create_sliding_accumulator(args)?));
        }
        if *args.return_field.data_type() == DataType::Float64 {
            return Ok(Box::new(FloatAggregate::new(Statistic::Sum)));
        }
        by_type!(args, Sum, sum_udaf().inner().create_sliding_accumulator(args))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if *args.return_type() == DataType::Float64 && !args.is_distinct {
            return Ok(aggregates::state_fields(args.name));
        }
        let Some(summand) = Summand::of(args.return_type()).filter(|_| !args.is_distinct) else {
            return sum_udaf().state_fields(args);
        };
        let names = ["low", "high"].into_iter().zip(summand.state_types());
        Ok(names
            .map(|(name, kind)| Arc::new(Field::new(format_state_name(args.name, name), kind, true)))
            .collect())
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        if *args.return_field.data_type() == DataType::Float64 {
            return Ok(Box::new(FloatGroups::new(Statistic::Sum)));
        }
        by_type!(args, GroupTotals, sum_udaf().inner().create_groups_accumulator(args))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[cfg(test)]
mod tests;
