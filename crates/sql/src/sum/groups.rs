//! The totals of many groups.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, Int64Array, PrimitiveArray,
};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::NullState;

use crate::row_errors;

use super::total::{Summand, add, fitting};

/// Totals by group.
#[derive(Debug)]
pub(super) struct GroupTotals<T> {
    name: String,
    result: DataType,
    low: Vec<i128>,
    /// What is above 128 bits; shorter than `low` while that is zero.
    high: Vec<i64>,
    /// Groups that have a value.
    nulls: NullState,
    of: PhantomData<fn() -> T>,
}

impl<T> GroupTotals<T> {
    pub(super) fn new(name: &str, result: DataType) -> Self {
        Self {
            name: name.to_owned(),
            result,
            low: Vec::new(),
            high: Vec::new(),
            nulls: NullState::new(),
            of: PhantomData,
        }
    }

    fn accumulate<V>(
        &mut self,
        values: &PrimitiveArray<V>,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) where
        V: ArrowPrimitiveType + Send,
        V::Native: Into<i128>,
    {
        self.low.resize(count, 0);
        let Self { low, high, nulls, .. } = self;
        nulls.accumulate(groups, values, filter, count, |group, value| {
            let carried = add(&mut low[group], value.into());
            if carried != 0 {
                carry(high, group, carried);
            }
        });
    }

    fn take_high(&mut self, emit_to: EmitTo) -> Vec<i64> {
        self.high.resize(self.low.len(), 0);
        emit_to.take_needed(&mut self.high)
    }
}

#[cold]
fn carry(high: &mut Vec<i64>, group: usize, carried: i64) {
    if high.len() <= group {
        high.resize(group + 1, 0);
    }
    high[group] += carried;
}

impl<T> GroupsAccumulator for GroupTotals<T>
where
    T: ArrowPrimitiveType + Send,
    T::Native: Into<i128> + TryFrom<i128>,
{
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.accumulate(values[0].as_primitive::<T>(), groups, filter, count);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.accumulate(states[0].as_primitive::<Decimal128Type>(), groups, None, count);
        if let Some(high) = states.get(1) {
            for (group, carried) in groups.iter().zip(high.as_primitive::<Int64Type>().values()) {
                if *carried != 0 {
                    carry(&mut self.high, *group, *carried);
                }
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let high = self.take_high(emit_to);
        let low = emit_to.take_needed(&mut self.low);
        let nulls = self.nulls.build(emit_to);
        let is_null = |group| nulls.as_ref().is_some_and(|nulls| nulls.is_null(group));
        let totals = low.into_iter().zip(high).enumerate().map(|(group, (low, high))| {
            if is_null(group) {
                return Ok(None);
            }
            row_errors::or_null(group, fitting::<T>(&self.name, &self.result, low, high).map(Some))
        });
        let values: PrimitiveArray<T> = totals.collect::<Result<_>>()?;
        Ok(Arc::new(values.with_data_type(self.result.clone())))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let Some(summand) = Summand::of(&self.result) else {
            return internal_err!("no exact sum of {}", self.result);
        };
        let high = summand.is_wide.then(|| self.take_high(emit_to));
        let low = emit_to.take_needed(&mut self.low);
        let low = Decimal128Array::new(low.into(), self.nulls.build(emit_to));
        let mut state: Vec<ArrayRef> = vec![Arc::new(low.with_data_type(summand.low_type()))];
        state.extend(high.map(|high| Arc::new(Int64Array::from(high)) as ArrayRef));
        Ok(state)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let groups: Vec<_> = (0..values[0].len()).collect();
        let mut each = Self::new(&self.name, self.result.clone());
        each.update_batch(values, &groups, filter, groups.len())?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.low.capacity() * size_of::<i128>() + self.high.capacity() * size_of::<i64>() + self.nulls.size()
    }
}
