//! Aggregate functions that tell for which groups they have no value.
//!
//! Above the cut DataFusion runs the aggregates and knows the keys, so that the reason comes with the value: the
//! function gives both, and the projection above it tells and unpacks.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, StructArray, make_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, EmitTo, GroupsAccumulator, ReversedUDAF,
    ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::expression::ErrorTarget;
use super::{is_of_values, noting, or_null, reason};

/// The accumulator of one group of many: it has no value where its group has none, if that is noted.
#[derive(Debug)]
pub(crate) struct GroupAccumulator {
    group: usize,
    null: ScalarValue,
    accumulator: Box<dyn Accumulator>,
}

impl GroupAccumulator {
    /// Makes the accumulators of one group after the other, from the first on.
    pub(crate) fn each(
        null: ScalarValue,
        accumulator: impl Fn() -> Result<Box<dyn Accumulator>> + Send + 'static,
    ) -> impl Fn() -> Result<Box<dyn Accumulator>> + Send + 'static {
        let groups = AtomicUsize::new(0);
        move || {
            let group = groups.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(Self { group, null: null.clone(), accumulator: accumulator()? }))
        }
    }
}

impl Accumulator for GroupAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.accumulator.update_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.accumulator.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.accumulator.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let value = or_null(self.group, self.accumulator.evaluate().map(Some))?;
        Ok(value.unwrap_or_else(|| self.null.clone()))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.accumulator.size()
    }
}

/// Gives what `function` does together with why it has no value.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct WithReason {
    function: Arc<AggregateUDF>,
}

impl WithReason {
    /// `function` with reasons, if there are any that it may have.
    pub(super) fn of(function: &Arc<AggregateUDF>, result: &DataType) -> Option<AggregateUDF> {
        let may_fail = matches!(function.name(), "sum" | "avg")
            && matches!(
                result,
                DataType::Int64 | DataType::UInt64 | DataType::Decimal128(..) | DataType::Duration(_)
            );
        may_fail.then(|| AggregateUDF::new_from_impl(Self { function: Arc::clone(function) }))
    }
}

fn fields(value: &DataType) -> Fields {
    let field = |name, kind| Field::new(name, kind, true);
    Fields::from(vec![field("value", value.clone()), field("reason", DataType::Utf8)])
}

/// Of a pair, the value's type.
fn value_type(pair: &DataType) -> Result<&DataType> {
    match pair {
        DataType::Struct(fields) if fields.len() == 2 => Ok(fields[0].data_type()),
        _ => internal_err!("a value with its reason is no {pair}"),
    }
}

/// The same arguments for the function itself.
fn inner_args<'a>(args: &AccumulatorArgs<'a>) -> Result<AccumulatorArgs<'a>> {
    let value = value_type(args.return_field.data_type())?.clone();
    let return_field = Arc::new(args.return_field.as_ref().clone().with_data_type(value));
    Ok(AccumulatorArgs { return_field, ..*args })
}

impl AggregateUDFImpl for WithReason {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields(&self.function.return_type(types)?)))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let args = inner_args(&args)?;
        let value = args.return_field.data_type().clone();
        Ok(Box::new(Pairs { value, inner: self.function.accumulator(args)? }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let args = inner_args(&args)?;
        let value = args.return_field.data_type().clone();
        Ok(Box::new(Pairs { value, inner: self.function.create_sliding_accumulator(args)? }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let value = value_type(args.return_field.data_type())?.clone();
        let return_field = Arc::new(args.return_field.as_ref().clone().with_data_type(value));
        self.function.state_fields(StateFieldsArgs { return_field, ..args })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        inner_args(&args).is_ok_and(|args| self.function.groups_accumulator_supported(args))
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let args = inner_args(&args)?;
        let value = args.return_field.data_type().clone();
        Ok(Box::new(Pairs { value, inner: self.function.create_groups_accumulator(args)? }))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// An accumulator whose values come with their reasons.
#[derive(Debug)]
struct Pairs<A: ?Sized> {
    value: DataType,
    inner: Box<A>,
}

impl<A: ?Sized> Pairs<A> {
    fn pairs(&self, values: ArrayRef, reasons: StringArray) -> StructArray {
        StructArray::new(fields(&self.value), vec![values, Arc::new(reasons)], None)
    }
}

impl Accumulator for Pairs<dyn Accumulator> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (value, reason) = match self.inner.evaluate() {
            Ok(value) => (value, None),
            Err(error) if is_of_values(&error) => {
                (ScalarValue::try_new_null(&self.value)?, Some(reason(&error)))
            }
            Err(error) => return Err(error),
        };
        let pair = self.pairs(value.to_array()?, StringArray::from(vec![reason]));
        Ok(ScalarValue::Struct(Arc::new(pair)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}

impl GroupsAccumulator for Pairs<dyn GroupsAccumulator> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.inner.update_batch(values, groups, filter, count)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.inner.merge_batch(states, groups, count)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (values, errors) = noting(true, || self.inner.evaluate(emit_to));
        let values = values?;
        let mut reasons = vec![None; values.len()];
        errors.into_iter().for_each(|(group, reason)| reasons[group] = Some(reason));
        Ok(Arc::new(self.pairs(values, StringArray::from(reasons))))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}

/// The value of a pair; a reason is told. The other arguments are the key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ValueOfPair {
    told: ErrorTarget,
    signature: Signature,
}

impl ValueOfPair {
    pub(super) fn new(told: ErrorTarget) -> Self {
        Self { told, signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl Hash for ValueOfPair {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.told.hash(state);
    }
}

impl ScalarUDFImpl for ValueOfPair {
    fn name(&self) -> &'static str {
        "value_or_reason"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [pair, ..] => value_type(pair).cloned(),
            [] => internal_err!("{} takes a pair", self.name()),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let arguments = arguments.args.into_iter().map(|argument| argument.into_array(rows));
        let arguments: Vec<_> = arguments.collect::<Result<_>>()?;
        let Some((pairs, key)) = arguments.split_first() else {
            return internal_err!("{} takes a pair", self.name());
        };
        let pairs = pairs.as_struct();
        for (place, reason) in pairs.column(1).as_string::<i32>().iter().enumerate() {
            if let Some(reason) = reason.filter(|_| pairs.is_valid(place)) {
                self.told.tell(key, place, reason);
            }
        }
        let nulls = NullBuffer::union(pairs.nulls(), pairs.column(0).nulls());
        let values = pairs.column(0).to_data().into_builder().nulls(nulls).build()?;
        Ok(ColumnarValue::Array(make_array(values)))
    }
}
