//! `sum` and `avg` of doubles by exact totals.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::FloatTotal;

/// What is made of a total when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Sum,
    Average,
}

/// A total and how many values it has.
#[derive(Debug, Clone, Default)]
struct Group {
    total: FloatTotal,
    count: i64,
}

impl Group {
    fn add(&mut self, value: f64) {
        self.total.add(value, false);
        self.count += 1;
    }

    fn merge(&mut self, bytes: &[u8], count: i64) -> Result<()> {
        self.total.merge(&FloatTotal::read(bytes)?);
        self.count += count;
        Ok(())
    }

    fn finished(&self, finish: Finish) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        Some(match finish {
            Finish::Sum => self.total.value(),
            // A count beyond 2^53 is no count of rows.
            Finish::Average => self.total.value() / self.count as f64,
        })
    }
}

/// The columns of a state.
pub(crate) fn state_fields(name: &str) -> Vec<FieldRef> {
    let field = |part, kind| Arc::new(Field::new(format_state_name(name, part), kind, true));
    vec![field("total", DataType::Binary), field("count", DataType::Int64)]
}

/// One total.
#[derive(Debug)]
pub(crate) struct FloatAggregate {
    group: Group,
    finish: Finish,
}

impl FloatAggregate {
    pub(crate) fn new(finish: Finish) -> Self {
        Self { group: Group::default(), finish }
    }
}

impl Accumulator for FloatAggregate {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        values[0].as_primitive::<Float64Type>().iter().flatten().for_each(|value| self.group.add(value));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<Float64Type>().iter().flatten() {
            self.group.total.add(value, true);
            self.group.count -= 1;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (totals, counts) = parts(states)?;
        totals.iter().zip(counts.values()).try_for_each(|(total, count)| match total {
            Some(total) => self.group.merge(total, *count),
            None => Ok(()),
        })
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let total = ScalarValue::Binary(Some(self.group.total.bytes()));
        Ok(vec![total, ScalarValue::Int64(Some(self.group.count))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.group.finished(self.finish)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.group.total.size()
    }
}

/// The totals of many groups.
#[derive(Debug)]
pub(crate) struct FloatGroups {
    groups: Vec<Group>,
    finish: Finish,
}

impl FloatGroups {
    pub(crate) fn new(finish: Finish) -> Self {
        Self { groups: Vec::new(), finish }
    }
}

impl GroupsAccumulator for FloatGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.groups.resize_with(count, Group::default);
        let values = values[0].as_primitive::<Float64Type>();
        let counts = |row| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        for (row, (value, group)) in values.iter().zip(groups).enumerate() {
            if let Some(value) = value.filter(|_| counts(row)) {
                self.groups[*group].add(value);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.groups.resize_with(count, Group::default);
        let (totals, counts) = parts(states)?;
        for ((total, count), group) in totals.iter().zip(counts.values()).zip(groups) {
            if let Some(total) = total {
                self.groups[*group].merge(total, *count)?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = emit_to.take_needed(&mut self.groups);
        let values: Float64Array = groups.iter().map(|group| group.finished(self.finish)).collect();
        Ok(Arc::new(values))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = emit_to.take_needed(&mut self.groups);
        let totals: BinaryArray = groups.iter().map(|group| Some(group.total.bytes())).collect();
        let counts: Int64Array = groups.iter().map(|group| Some(group.count)).collect();
        Ok(vec![Arc::new(totals), Arc::new(counts)])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let groups: Vec<_> = (0..values[0].len()).collect();
        let mut each = Self::new(self.finish);
        each.update_batch(values, &groups, filter, groups.len())?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        let inner: usize = self.groups.iter().map(|group| group.total.size()).sum();
        self.groups.capacity() * size_of::<Group>() + inner
    }
}

fn parts(states: &[ArrayRef]) -> Result<(&BinaryArray, &Int64Array)> {
    match states {
        [totals, counts] => Ok((totals.as_binary::<i32>(), counts.as_primitive::<Int64Type>())),
        _ => internal_err!("a total of doubles has {} columns", states.len()),
    }
}

/// Distinct doubles: DataFusion keeps them, in no order; the total is made here.
#[derive(Debug)]
pub(crate) struct DistinctFloats {
    values: Box<dyn Accumulator>,
    finish: Finish,
}

impl DistinctFloats {
    pub(crate) fn new(values: Box<dyn Accumulator>, finish: Finish) -> Self {
        Self { values, finish }
    }
}

impl Accumulator for DistinctFloats {
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
        let [ScalarValue::List(list)] = &self.values.state()?[..] else {
            return internal_err!("distinct doubles are no list");
        };
        let mut group = Group::default();
        list.values().as_primitive::<Float64Type>().iter().flatten().for_each(|value| group.add(value));
        Ok(ScalarValue::Float64(group.finished(self.finish)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.size()
    }
}
