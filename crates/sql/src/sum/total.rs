//! One total.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Int64Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::logical_expr::Accumulator;

use crate::distinct::{self, DistinctValues};

/// Digits of a decimal of 128 bits.
const DIGITS: u8 = 38;

/// What a total is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summand {
    /// The scale of the total.
    pub(super) scale: i8,
    /// Whether 128 bits may not be enough: so many integers there will never be.
    pub(super) is_wide: bool,
}

impl Summand {
    /// What totals of this type are made of, if they are kept exactly.
    pub(super) fn of(result: &DataType) -> Option<Self> {
        match result {
            DataType::Int64 | DataType::UInt64 | DataType::Duration(_) => {
                Some(Self { scale: 0, is_wide: false })
            }
            DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => {
                Some(Self { scale: *scale, is_wide: false })
            }
            DataType::Decimal128(_, scale) => Some(Self { scale: *scale, is_wide: true }),
            _ => None,
        }
    }

    /// The type of the lower 128 bits, and of those above if there are any.
    pub(super) fn state_types(self) -> Vec<DataType> {
        let mut types = vec![self.low_type()];
        types.extend(self.is_wide.then_some(DataType::Int64));
        types
    }

    pub(super) fn low_type(self) -> DataType {
        DataType::Decimal128(DIGITS, self.scale)
    }
}

/// Adds to the lower 128 bits; what is carried to those above.
#[inline]
pub(crate) fn add(low: &mut i128, value: i128) -> i64 {
    let (sum, has_wrapped) = low.overflowing_add(value);
    *low = sum;
    match (has_wrapped, value < 0) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => -1,
    }
}

/// The result of a total, or an error that names the sum.
pub(super) fn fitting<T>(name: &str, result: &DataType, low: i128, high: i64) -> Result<T::Native>
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i128>,
{
    let digits = match result {
        DataType::Decimal32(digits, _) | DataType::Decimal64(digits, _) | DataType::Decimal128(digits, _) => {
            Some(*digits)
        }
        _ => None,
    };
    let has_digits = digits.is_none_or(|digits| low.unsigned_abs() < 10_u128.pow(u32::from(digits)));
    match T::Native::try_from(low) {
        Ok(value) if high == 0 && has_digits => Ok(value),
        _ => too_large(name, result),
    }
}

#[cold]
fn too_large<T>(name: &str, result: &DataType) -> Result<T> {
    match result {
        DataType::Int64 => exec_err!("{name} is too large for a bigint"),
        DataType::Decimal32(digits, _) | DataType::Decimal64(digits, _) | DataType::Decimal128(digits, _) => {
            exec_err!("{name} has more than {digits} digits")
        }
        _ => exec_err!("{name} is too large for its type, {result}"),
    }
}

/// A total of all rows, or of those in a sliding window.
#[derive(Debug)]
pub(super) struct Sum<T> {
    name: String,
    result: DataType,
    low: i128,
    high: i64,
    /// How many values are in it; without any it is null.
    count: u64,
    of: PhantomData<fn() -> T>,
}

impl<T> Sum<T> {
    pub(super) fn new(name: &str, result: DataType) -> Self {
        Self { name: name.to_owned(), result, low: 0, high: 0, count: 0, of: PhantomData }
    }
}

impl<T> Sum<T>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i128> + TryFrom<i128>,
{
    fn add(&mut self, values: &dyn Array) {
        for value in values.as_primitive::<T>().iter().flatten() {
            self.high += add(&mut self.low, value.into());
            self.count += 1;
        }
    }

    fn total(&self) -> Result<Option<T::Native>> {
        let fits = || fitting::<T>(&self.name, &self.result, self.low, self.high);
        (self.count > 0).then(fits).transpose()
    }
}

impl<T> Accumulator for Sum<T>
where
    T: ArrowPrimitiveType + Debug + Send,
    T::Native: Into<i128> + TryFrom<i128>,
{
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0]);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<T>().iter().flatten() {
            // The smallest i128 has no opposite; no type that is summed up reaches it.
            self.high += add(&mut self.low, value.into().wrapping_neg());
            self.count -= 1;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for value in states[0].as_primitive::<Decimal128Type>().iter().flatten() {
            self.high += add(&mut self.low, value);
            self.count += 1;
        }
        if let Some(high) = states.get(1) {
            self.high += high.as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let Some(summand) = Summand::of(&self.result) else {
            return internal_err!("no exact sum of {}", self.result);
        };
        let low = (self.count > 0).then_some(self.low);
        let mut state = vec![ScalarValue::Decimal128(low, DIGITS, summand.scale)];
        state.extend(summand.is_wide.then_some(ScalarValue::Int64(Some(self.high))));
        Ok(state)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::new_primitive::<T>(self.total()?, &self.result)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.name.capacity()
    }
}

/// Takes the total of distinct `values` exactly where that is done for this type.
pub(super) fn of_distinct(
    name: &str,
    result: DataType,
    values: Box<dyn Accumulator>,
) -> Box<dyn Accumulator> {
    let Some(summand) = Summand::of(&result) else { return values };
    let name = name.to_owned();
    Box::new(DistinctValues::new(values, move |values| {
        // Tells the type's null and whatever else is not a total that wrapped.
        let wrapping = values.evaluate()?;
        if wrapping.is_null() {
            return Ok(wrapping);
        }
        let (mut low, mut high) = (0, 0);
        for value in numbers(summand, &distinct::values(values)?)?.iter().flatten() {
            high += add(&mut low, value);
        }
        let fits = match &result {
            DataType::UInt64 => fitting::<UInt64Type>(&name, &result, low, high).map(drop),
            DataType::Decimal128(..) => fitting::<Decimal128Type>(&name, &result, low, high).map(drop),
            _ => fitting::<Int64Type>(&name, &result, low, high).map(drop),
        };
        // If it fits, nothing has wrapped.
        fits.map(|()| wrapping)
    }))
}

/// Values as numbers of 128 bits.
fn numbers(summand: Summand, values: &ArrayRef) -> Result<PrimitiveArray<Decimal128Type>> {
    let mut values = Arc::clone(values);
    if let DataType::Duration(_) = values.data_type() {
        values = cast(&values, &DataType::Int64)?;
    }
    if !matches!(values.data_type(), DataType::Decimal128(..)) {
        values = cast(&values, &summand.low_type())?;
    }
    Ok(values.as_primitive().clone())
}
