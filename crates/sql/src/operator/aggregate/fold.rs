//! Folding an epoch: its rows are taken into the states of their groups.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_plan::aggregates::{AggregateMode, aggregate_expressions, evaluate_many};
use factum_state::{Changes, FoundValues, TableId};
use factum_types::Offset;

use super::super::row_codec::RowCodec;
use super::layout::{Storage, chunk_key, push_row, value_key};
use super::{Aggregate, GroupedRows, Input, accumulator, evaluate_condition};

/// What an epoch has to look up.
pub(crate) struct Keys {
    /// Of each group's row.
    groups: Vec<Vec<u8>>,
    /// Of each value that may be new to its group.
    values: Vec<Vec<u8>>,
}

impl Keys {
    /// All of them, groups first.
    pub(crate) fn all(&self) -> Vec<&[u8]> {
        self.groups.iter().chain(&self.values).map(Vec::as_slice).collect()
    }
}

/// Groups in the order that accumulators meet them: those with an old state, then the others as they appear.
///
/// A call of an accumulator tells how many groups there are, and none of them may be yet to come: without nulls
/// in a batch it takes all of them for groups that have a value, and a sum of nulls would be 0.
struct Order {
    /// The group at each place.
    groups: Vec<usize>,
    /// The place of each group.
    places: Vec<usize>,
    known: usize,
}

impl Order {
    fn new(known: &[usize], count: usize) -> Self {
        let mut is_known = vec![false; count];
        known.iter().for_each(|group| is_known[*group] = true);
        let mut groups = known.to_vec();
        groups.extend((0..count).filter(|group| !is_known[*group]));
        let mut places = vec![0; count];
        groups.iter().enumerate().for_each(|(place, group)| places[*group] = place);
        Self { groups, places, known: known.len() }
    }

    /// How many places are taken once the first `appeared` groups have appeared.
    fn met(&self, appeared: usize) -> usize {
        self.known + self.groups[self.known..].partition_point(|group| *group < appeared)
    }
}

/// One for each function, but for those of which the arguments are kept.
type Accumulators = Vec<Option<Box<dyn GroupsAccumulator>>>;

impl Aggregate {
    /// What [`Aggregate::fold`] wants to know of the state.
    pub(crate) fn keys(&self, grouped: &GroupedRows) -> Result<Keys> {
        let group = |group| self.layout.group_key(grouped.encoded.row(group).data());
        let groups = (0..grouped.count).map(group).collect();
        let mut values = BTreeSet::new();
        for input in &grouped.inputs {
            self.values(grouped, input, &mut values)?;
        }
        Ok(Keys { groups, values: values.into_iter().collect() })
    }

    /// The keys of the values that the functions of sets are called with.
    fn values(&self, grouped: &GroupedRows, input: &Input, keys: &mut BTreeSet<Vec<u8>>) -> Result<()> {
        for (number, function) in self.layout.functions.iter().enumerate() {
            let Storage::Values(codec) = &function.storage else { continue };
            self.each_call(number, codec, input, |group, arguments| {
                keys.insert(value_key(number, grouped.encoded.row(group).data(), arguments));
            })?;
        }
        Ok(())
    }

    /// What each group calls a function with, one call after the other.
    fn calls(&self, grouped: &GroupedRows, number: usize, codec: &RowCodec) -> Result<Vec<Vec<u8>>> {
        let mut calls = vec![Vec::new(); grouped.count];
        for input in &grouped.inputs {
            self.each_call(number, codec, input, |group, arguments| push_row(&mut calls[group], arguments))?;
        }
        Ok(calls)
    }

    /// The group and the encoded arguments of each call of a function.
    fn each_call(
        &self,
        number: usize,
        codec: &RowCodec,
        input: &Input,
        mut call: impl FnMut(usize, &[u8]),
    ) -> Result<()> {
        let arguments = aggregate_expressions(self.exec.aggr_expr(), &AggregateMode::Partial, 0)?;
        let columns = evaluate_many(&arguments[number..=number], &input.batch)?.remove(0);
        let condition = evaluate_condition(self.exec.filter_expr()[number].as_ref(), &input.batch)?;
        let condition = condition.as_ref().map(|array| array.as_boolean());
        let rows = codec.encode(&columns, input.batch.num_rows())?;
        for (row, group) in input.ids.iter().enumerate() {
            if condition.is_none_or(|condition| condition.is_valid(row) && condition.value(row)) {
                call(*group, rows.row(row).data());
            }
        }
        Ok(())
    }

    /// Folds the rows of the epoch that begins at `first` into the old states, and writes what changes. `old` is what
    /// was found under [`Aggregate::keys`]. Old comes before new: order counts for some functions.
    pub(crate) fn fold(
        &self,
        grouped: &GroupedRows,
        keys: &Keys,
        old: &FoundValues,
        first: Offset,
        table: TableId,
        changes: &mut Changes,
    ) -> Result<()> {
        if grouped.count == 0 {
            // Some accumulators cannot tell the state of no groups.
            return Ok(());
        }
        let is_group = |(index, _): &(usize, &[u8])| *index < grouped.count;
        let (known, states): (Vec<usize>, Vec<&[u8]>) = old.present().filter(is_group).unzip();
        let states = self.layout.in_group.decode(states.into_iter())?;
        let order = Order::new(&known, grouped.count);
        let mut accumulators = self.writers()?;
        for (accumulator, function) in accumulators.iter_mut().zip(&self.layout.functions) {
            if let (Storage::InGroup(from), Some(accumulator), false) =
                (&function.storage, accumulator, known.is_empty())
            {
                let places: Vec<_> = (0..known.len()).collect();
                accumulator.merge_batch(&states[*from..from + function.width], &places, known.len())?;
            }
        }
        for input in &grouped.inputs {
            self.update(&mut accumulators, input, &order)?;
        }
        let mut columns = Vec::new();
        for (number, (accumulator, function)) in
            accumulators.iter_mut().zip(&self.layout.functions).enumerate()
        {
            if let Storage::Calls(codec) = &function.storage {
                let calls = self.calls(grouped, number, codec)?.into_iter().enumerate();
                for (group, calls) in calls.filter(|(_, calls)| !calls.is_empty()) {
                    changes.put(table, &chunk_key(number, grouped.encoded.row(group).data(), first), &calls);
                }
            }
            let Some(accumulator) = accumulator else { continue };
            let state = accumulator.state(EmitTo::All)?;
            let Storage::Chunks(codec) = &function.storage else {
                columns.extend(state);
                continue;
            };
            let states = codec.encode(&state, grouped.count)?;
            for (place, group) in order.groups.iter().enumerate() {
                let key = chunk_key(number, grouped.encoded.row(*group).data(), first);
                changes.put(table, &key, states.row(place).data());
            }
        }
        let states = self.layout.in_group.encode(&columns, grouped.count)?;
        for (place, group) in order.groups.iter().enumerate() {
            changes.put(table, &keys.groups[*group], states.row(place).data());
        }
        let values = keys.values.iter().enumerate();
        let new = values.filter(|(index, _)| old.get(grouped.count + index).is_none());
        new.for_each(|(_, key)| changes.put(table, key, &[]));
        Ok(())
    }

    fn writers(&self) -> Result<Accumulators> {
        let functions = self.exec.aggr_expr().iter().zip(&self.layout.functions);
        functions
            .map(|(expression, function)| match function.storage {
                Storage::Values(_) | Storage::Calls(_) => Ok(None),
                Storage::InGroup(_) | Storage::Chunks(_) => accumulator(expression).map(Some),
            })
            .collect()
    }

    fn update(
        &self,
        accumulators: &mut Accumulators,
        Input { batch, ids, appeared }: &Input,
        order: &Order,
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let arguments = aggregate_expressions(self.exec.aggr_expr(), &AggregateMode::Partial, 0)?;
        let values = evaluate_many(&arguments, batch)?;
        let places: Vec<_> = ids.iter().map(|id| order.places[*id]).collect();
        let met = order.met(*appeared);
        for ((accumulator, values), condition) in
            accumulators.iter_mut().zip(&values).zip(self.exec.filter_expr())
        {
            let Some(accumulator) = accumulator else { continue };
            let condition = evaluate_condition(condition.as_ref(), batch)?;
            let condition = condition.as_ref().map(|array| array.as_boolean());
            accumulator.update_batch(values, &places, condition, met)?;
        }
        Ok(())
    }
}
