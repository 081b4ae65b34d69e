//! Accumulators of exact totals.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::FloatTotal;
use super::statistics::Statistic;
use crate::distinct::{self, DistinctValues};

/// The totals of a statistic's terms, and how many rows they have.
#[derive(Debug, Clone)]
struct Group {
    totals: Box<[FloatTotal]>,
    count: i64,
}

impl Group {
    fn new(statistic: Statistic) -> Self {
        Self { totals: vec![FloatTotal::default(); statistic.terms().len()].into(), count: 0 }
    }

    /// Adds a row, or takes one away that was added.
    fn add(&mut self, statistic: Statistic, y: f64, x: f64, is_taken: bool) {
        for (term, total) in statistic.terms().iter().zip(&mut self.totals) {
            term.add(total, y, x, is_taken);
        }
        self.count += if is_taken { -1 } else { 1 };
    }

    fn merge(&mut self, mut bytes: &[u8], count: i64) -> Result<()> {
        let Some((last, totals)) = self.totals.split_last_mut() else { return Ok(()) };
        for total in totals {
            let parts = bytes.split_first_chunk::<2>();
            let parts = parts.and_then(|(len, rest)| rest.split_at_checked(u16::from_le_bytes(*len).into()));
            let Some((first, rest)) = parts else {
                return exec_err!("totals of doubles have {} bytes", bytes.len());
            };
            total.merge(&FloatTotal::read(first)?);
            bytes = rest;
        }
        last.merge(&FloatTotal::read(bytes)?);
        self.count += count;
        Ok(())
    }

    /// All totals, each but the last after its length.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (place, total) in self.totals.iter().enumerate() {
            let total = total.bytes();
            if place + 1 < self.totals.len() {
                // A total has some 600 bytes at most.
                bytes.extend((total.len() as u16).to_le_bytes());
            }
            bytes.extend(total);
        }
        bytes
    }

    fn value(&self, statistic: Statistic) -> Option<f64> {
        statistic.value(self.count, &self.totals)
    }

    fn size(&self) -> usize {
        self.totals.iter().map(|total| size_of::<FloatTotal>() + total.size()).sum()
    }
}

/// Calls `take` with the row, the y and the x of each row that has both; of one column, x is y.
fn each_row(values: &[ArrayRef], mut take: impl FnMut(usize, f64, f64)) {
    let y = values[0].as_primitive::<Float64Type>();
    let x = values.get(1).unwrap_or(&values[0]).as_primitive::<Float64Type>();
    let rows = y.iter().zip(x).enumerate();
    rows.for_each(|(row, pair)| {
        if let (Some(y), Some(x)) = pair {
            take(row, y, x);
        }
    });
}

/// The columns of a state.
pub(crate) fn state_fields(name: &str) -> Vec<FieldRef> {
    let field = |part, kind| Arc::new(Field::new(format_state_name(name, part), kind, true));
    vec![field("total", DataType::Binary), field("count", DataType::Int64)]
}

/// One group.
#[derive(Debug)]
pub(crate) struct FloatAggregate {
    group: Group,
    statistic: Statistic,
}

impl FloatAggregate {
    pub(crate) fn new(statistic: Statistic) -> Self {
        Self { group: Group::new(statistic), statistic }
    }

    fn add(&mut self, values: &[ArrayRef], is_taken: bool) {
        each_row(values, |_, y, x| self.group.add(self.statistic, y, x, is_taken));
    }
}

impl Accumulator for FloatAggregate {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values, false);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values, true);
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
        let totals = ScalarValue::Binary(Some(self.group.bytes()));
        Ok(vec![totals, ScalarValue::Int64(Some(self.group.count))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.group.value(self.statistic)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.group.size()
    }
}

/// Many groups.
#[derive(Debug)]
pub(crate) struct FloatGroups {
    groups: Vec<Group>,
    statistic: Statistic,
}

impl FloatGroups {
    pub(crate) fn new(statistic: Statistic) -> Self {
        Self { groups: Vec::new(), statistic }
    }

    fn reach(&mut self, count: usize) {
        let statistic = self.statistic;
        self.groups.resize_with(count, || Group::new(statistic));
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
        self.reach(count);
        let counts = |row| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        each_row(values, |row, y, x| {
            if counts(row) {
                self.groups[groups[row]].add(self.statistic, y, x, false);
            }
        });
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.reach(count);
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
        let values: Float64Array = groups.iter().map(|group| group.value(self.statistic)).collect();
        Ok(Arc::new(values))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = emit_to.take_needed(&mut self.groups);
        let totals: BinaryArray = groups.iter().map(|group| Some(group.bytes())).collect();
        let counts: Int64Array = groups.iter().map(|group| Some(group.count)).collect();
        Ok(vec![Arc::new(totals), Arc::new(counts)])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let groups: Vec<_> = (0..values[0].len()).collect();
        let mut each = Self::new(self.statistic);
        each.update_batch(values, &groups, filter, groups.len())?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        let inner: usize = self.groups.iter().map(|group| group.size()).sum();
        self.groups.capacity() * size_of::<Group>() + inner
    }
}

fn parts(states: &[ArrayRef]) -> Result<(&BinaryArray, &Int64Array)> {
    match states {
        [totals, counts] => Ok((totals.as_binary::<i32>(), counts.as_primitive::<Int64Type>())),
        _ => internal_err!("a total of doubles has {} columns", states.len()),
    }
}

/// A statistic of distinct doubles.
pub(crate) fn of_distinct(values: Box<dyn Accumulator>, statistic: Statistic) -> Box<dyn Accumulator> {
    Box::new(DistinctValues::new(values, move |values| {
        let mut all = FloatAggregate::new(statistic);
        all.update_batch(&[distinct::values(values)?])?;
        all.evaluate()
    }))
}
