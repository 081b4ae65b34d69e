//! Aggregates of distinct values: DataFusion keeps the values, what is made of them is made here.

use std::fmt;

use arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

/// Makes a value of distinct ones, which it is given as an accumulator of DataFusion's.
pub(crate) type Finish = dyn Fn(&mut dyn Accumulator) -> Result<ScalarValue> + Send + Sync;

/// An accumulator of distinct values.
pub(crate) struct DistinctValues {
    values: Box<dyn Accumulator>,
    finish: Box<Finish>,
}

impl DistinctValues {
    pub(crate) fn new(
        values: Box<dyn Accumulator>,
        finish: impl Fn(&mut dyn Accumulator) -> Result<ScalarValue> + Send + Sync + 'static,
    ) -> Self {
        Self { values, finish: Box::new(finish) }
    }
}

/// The values that an accumulator of distinct ones holds, each once, in no order.
pub(crate) fn values(accumulator: &mut dyn Accumulator) -> Result<ArrayRef> {
    match &accumulator.state()?[..] {
        [ScalarValue::List(list)] => Ok(list.values().clone()),
        _ => internal_err!("distinct values are no list"),
    }
}

impl fmt::Debug for DistinctValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DistinctValues").field("values", &self.values).finish_non_exhaustive()
    }
}

impl Accumulator for DistinctValues {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values.update_batch(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.values.supports_retract_batch()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.values.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.values.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        (self.finish)(&mut *self.values)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.size()
    }
}
