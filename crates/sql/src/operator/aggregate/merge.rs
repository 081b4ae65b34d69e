//! Merging on reading: the states of all partitions become final values.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, UInt64Array};
use arrow::compute::{SortColumn, filter, lexsort_to_indices, take, take_arrays};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::aggregates::group_values::new_group_values;
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::super::kept_rows::KeptRows;
use super::layout::{self, Part, PartKind, Storage};
use super::{Aggregate, accumulator, accumulator_for_each, first_rows, nullable};
use crate::row_errors::{self, GroupError};

/// What is kept of a view, from all partitions.
#[derive(Debug, Default)]
pub(crate) struct KeptStates {
    /// Rows with the states of all functions of a group.
    pub(crate) whole: KeptRows,
    /// Rows with parts of them, each partition's in the order of keys.
    pub(crate) parts: KeptRows,
}

/// States that pass the lifted filter, with the merged group of each.
struct Merging<'a> {
    whole: Vec<ArrayRef>,
    whole_ids: Vec<usize>,
    parts: Vec<(Part<'a>, usize)>,
    groups: usize,
}

impl Merging<'_> {
    /// The parts of one kind: their bytes, and their groups behind those of the whole rows.
    fn of(&self, kind: PartKind) -> (Vec<&[u8]>, Vec<usize>) {
        let parts = self.parts.iter().filter(|(part, _)| part.kind == kind);
        parts.map(|(part, id)| (part.bytes, *id)).unzip()
    }

    /// The groups of the whole rows, and behind them those of `parts`.
    fn ids(&self, parts: &[usize]) -> Cow<'_, [usize]> {
        match parts {
            [] => Cow::Borrowed(&self.whole_ids),
            parts => Cow::Owned([&self.whole_ids, parts].concat()),
        }
    }
}

/// Arguments and their groups in the order that `function` wants them in; those that are equal in it keep theirs.
fn sorted(
    function: &AggregateFunctionExpr,
    arguments: Vec<ArrayRef>,
    ids: Vec<usize>,
) -> Result<(Vec<ArrayRef>, Vec<usize>)> {
    let orders = function.order_bys();
    if orders.is_empty() || ids.is_empty() {
        return Ok((arguments, ids));
    }
    let keys = arguments[arguments.len() - orders.len()..].iter().zip(orders);
    let keys =
        keys.map(|(values, order)| SortColumn { values: Arc::clone(values), options: Some(order.options) });
    let places = UInt64Array::from_iter_values(0..ids.len() as u64);
    let place = SortColumn { values: Arc::new(places), options: None };
    let order = lexsort_to_indices(&keys.chain([place]).collect::<Vec<_>>(), None)?;
    let ids = order.values().iter().map(|place| ids[*place as usize]).collect();
    Ok((take_arrays(&arguments, &order, None)?, ids))
}

impl Aggregate {
    /// Merges the states of all partitions and gives the final rows of the aggregate, hidden keys included (with
    /// some value of their group). `lifted` keeps the partial states that it is true for.
    pub(crate) async fn merge(
        &self,
        kept: &KeptStates,
        lifted: Option<&Arc<dyn PhysicalExpr>>,
    ) -> Result<Vec<RecordBatch>> {
        let mut parts = layout::parts(&kept.parts);
        let mut keys = self.keys.decode(kept.whole.keys().chain(parts.iter().map(|part| part.group)))?;
        let mut whole = self.states.decode(kept.whole.values())?;
        let mut count = kept.whole.len() + parts.len();
        let mut whole_count = kept.whole.len();
        if let Some(lifted) = lifted {
            let batch = RecordBatch::try_new(nullable(&self.groups), keys.clone())?;
            let mask = lifted.evaluate(&batch)?.into_array(count)?;
            let mask = mask.as_boolean();
            let of_whole: BooleanArray = mask.slice(0, whole_count);
            keys = keys.iter().map(|column| filter(column, mask)).collect::<Result<_, _>>()?;
            whole = whole.iter().map(|column| filter(column, &of_whole)).collect::<Result<_, _>>()?;
            // A null is not true; `true_count` leaves it out as `filter` does.
            let passes = |index| arrow::array::Array::is_valid(mask, index) && mask.value(index);
            let mut index = whole_count;
            parts.retain(|_| {
                index += 1;
                passes(index - 1)
            });
            whole_count = of_whole.true_count();
            count = mask.true_count();
        }
        let (ids, groups) = self.merged_groups(&keys, count)?;
        if groups == 0 {
            return Ok(Vec::new());
        }
        let first = first_rows(&ids, groups);
        let mut columns = Vec::with_capacity(self.finals.fields().len());
        for key in &keys {
            columns.push(take(key, &first, None)?);
        }
        let parts = parts.into_iter().zip(ids[whole_count..].iter().copied()).collect();
        let merging = Merging { whole, whole_ids: ids[..whole_count].to_vec(), parts, groups };
        self.finish(&merging, count, &mut columns)?;
        let finals = RecordBatch::try_new(Arc::clone(&self.finals), columns)?;
        self.above.run(vec![finals]).await
    }

    /// Adds the final values of each function.
    fn finish(&self, merging: &Merging<'_>, count: usize, columns: &mut Vec<ArrayRef>) -> Result<()> {
        let (bytes, part_ids) = merging.of(PartKind::Group);
        let in_group = self.layout.in_group.decode(bytes.into_iter())?;
        let mut from = 0;
        for (number, (expression, function)) in
            self.exec.aggr_expr().iter().zip(&self.layout.functions).enumerate()
        {
            let whole = &merging.whole[from..from + function.width];
            from += function.width;
            if count == 0 {
                // The one row over nothing: an accumulator of groups has none to tell of.
                columns.push(expression.create_accumulator()?.evaluate()?.to_array()?);
                continue;
            }
            let mut merged: Box<dyn GroupsAccumulator> = match &function.storage {
                Storage::InGroup(_) | Storage::Chunks(_) => accumulator(expression)?,
                // One for each group: those that share a state take a group without values for one with some.
                Storage::Values(_) | Storage::Calls(_) => accumulator_for_each(expression)?,
            };
            match &function.storage {
                Storage::InGroup(column) => {
                    let states = in_group[*column..column + function.width].to_vec();
                    let ids = merging.ids(&part_ids);
                    merged.merge_batch(&layout::concat(whole, states)?, &ids, merging.groups)?;
                }
                Storage::Chunks(codec) => {
                    let (bytes, ids) = merging.of(PartKind::Chunk(number));
                    let states = layout::concat(whole, codec.decode(bytes.into_iter())?)?;
                    merged.merge_batch(&states, &merging.ids(&ids), merging.groups)?;
                }
                Storage::Values(codec) => {
                    merged.merge_batch(whole, &merging.whole_ids, merging.groups)?;
                    let (bytes, ids) = merging.of(PartKind::Value(number));
                    let values = codec.decode(bytes.into_iter())?;
                    let (values, ids) = sorted(expression, values, ids)?;
                    merged.update_batch(&values, &ids, None, merging.groups)?;
                }
                Storage::Calls(codec) => {
                    merged.merge_batch(whole, &merging.whole_ids, merging.groups)?;
                    let (bytes, ids) = merging.of(PartKind::Chunk(number));
                    let calls = bytes.into_iter().zip(ids);
                    let calls = calls.flat_map(|(bytes, id)| layout::rows(bytes).map(move |row| (row, id)));
                    let (rows, ids): (Vec<_>, Vec<_>) = calls.unzip();
                    let (values, ids) = sorted(expression, codec.decode(rows.into_iter())?, ids)?;
                    merged.update_batch(&values, &ids, None, merging.groups)?;
                }
            }
            let (values, errors) = row_errors::collect(|| merged.evaluate(EmitTo::All));
            self.tell(expression.name(), columns, errors)?;
            columns.push(values?);
        }
        Ok(())
    }

    /// Tells the reader which groups have no value of `function`; `columns` begin with their keys.
    fn tell(&self, function: &str, columns: &[ArrayRef], errors: Vec<GroupError>) -> Result<()> {
        if !errors.is_empty() {
            let names = Arc::new(self.groups.project(&self.visible)?);
            let keys: Vec<_> = self.visible.iter().map(|key| Arc::clone(&columns[*key])).collect();
            row_errors::tell(function, &names, &keys, errors);
        }
        Ok(())
    }

    /// The merged group of each partial state, and how many groups there are.
    fn merged_groups(&self, keys: &[ArrayRef], count: usize) -> Result<(Vec<usize>, usize)> {
        if self.visible.is_empty() {
            // Without keys there is one row even over nothing, as SQL has it.
            return Ok((vec![0; count], 1));
        }
        if count == 0 {
            return Ok((Vec::new(), 0));
        }
        let schema = Arc::new(self.groups.project(&self.visible)?);
        let columns: Vec<_> = self.visible.iter().map(|key| Arc::clone(&keys[*key])).collect();
        let mut values = new_group_values(schema, &GroupOrdering::None)?;
        let mut ids = Vec::with_capacity(count);
        values.intern(&columns, &mut ids)?;
        Ok((ids, values.len()))
    }
}
