//! Layout of the state of each aggregate function, by how it grows.
//!
//! ```text
//!   function                        kept as                                 written for an event
//!   count, sum, max, stddev, …      its state, in the row of the group      one row
//!   count(DISTINCT), sum(DISTINCT)  a row for each (group, value)           one row, if the value is new
//!   array_agg, median, …            a row for each (group, epoch)           what the epoch added
//!   array_agg(… ORDER BY …), …      a row for each (group, epoch)           what the epoch calls it with
//! ```
//!
//! Invariants: what an epoch writes does not depend on how much a group holds. States of one group can be merged in any
//! number, in the order of their offsets; so a group's state is the sum of its rows. What a function with an ORDER BY was
//! called with is sorted on reading.
//!
//! ```text
//!   key   0 │ group                                                         → states of bounded functions
//!         1 │ function u32 │ length of group u32 │ group │ first offset u64 → the state or the calls that an epoch adds
//!         2 │ function u32 │ length of group u32 │ group │ value            → nothing
//! ```
//!
//! A plan of bounded functions alone keeps its groups in another table, without the prefix: as every plan did once.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef, SchemaRef};
use datafusion::common::Result;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use factum_types::Offset;

use super::super::kept_rows::KeptRows;
use super::super::row_codec::RowCodec;

/// Functions whose state is the list of all values.
const LISTS: &[&str] = &["array_agg", "string_agg", "median", "percentile_cont", "nth_value"];
/// Functions to which DISTINCT makes no difference.
const INDIFFERENT: &[&str] = &["min", "max", "bool_and", "bool_or", "bit_and", "bit_or"];

const GROUP: u8 = 0;
const CHUNK: u8 = 1;
const VALUE: u8 = 2;

/// How one function is kept.
#[derive(Debug)]
pub(super) enum Storage {
    /// Its state is bounded: columns of the group's row, from this one on.
    InGroup(usize),
    /// The distinct arguments that it was called with.
    Values(RowCodec),
    /// A state of each epoch.
    Chunks(RowCodec),
    /// The arguments of all calls, those of each epoch together.
    Calls(RowCodec),
}

/// How the functions of an aggregate are kept.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) functions: Vec<Function>,
    /// The states of bounded functions.
    pub(super) in_group: RowCodec,
    /// Whether any state has rows of its own.
    pub(super) grows: bool,
}

#[derive(Debug)]
pub(super) struct Function {
    pub(super) storage: Storage,
    /// How many columns its state has.
    pub(super) width: usize,
}

impl Layout {
    pub(super) fn new(functions: &[Arc<AggregateFunctionExpr>], input: &SchemaRef) -> Result<Self> {
        let mut in_group: Vec<FieldRef> = Vec::new();
        let mut layout = Vec::with_capacity(functions.len());
        for function in functions {
            let fields = function.state_fields()?;
            let width = fields.len();
            let storage = if is_set(function) {
                Storage::Values(arguments(function, input)?)
            } else if keeps_calls(function) {
                Storage::Calls(arguments(function, input)?)
            } else if is_list(function) {
                Storage::Chunks(RowCodec::new(&fields)?)
            } else {
                let from = in_group.len();
                in_group.extend(fields);
                Storage::InGroup(from)
            };
            layout.push(Function { storage, width });
        }
        let grows = layout.iter().any(|function| !matches!(function.storage, Storage::InGroup(_)));
        Ok(Self { functions: layout, in_group: RowCodec::new(&in_group)?, grows })
    }

    /// The key of a group's row.
    pub(super) fn group_key(&self, group: &[u8]) -> Vec<u8> {
        if self.grows { [&[GROUP], group].concat() } else { group.to_vec() }
    }
}

/// The arguments of a function, and behind them what it orders them by.
fn arguments(function: &AggregateFunctionExpr, input: &SchemaRef) -> Result<RowCodec> {
    let orders = function.order_bys().iter().map(|order| Arc::clone(&order.expr));
    let types = function.expressions().into_iter().chain(orders).map(|argument| argument.data_type(input));
    let fields = types.map(|data_type| Ok(Arc::new(Field::new("value", data_type?, true))));
    Ok(RowCodec::new(&fields.collect::<Result<Vec<_>>>()?)?)
}

/// Whether a function holds all its arguments.
fn is_list(function: &AggregateFunctionExpr) -> bool {
    LISTS.contains(&function.fun().name())
}

/// Whether a function depends on nothing but the set of its arguments, and may hold all of them.
fn is_set(function: &AggregateFunctionExpr) -> bool {
    let is_bounded = INDIFFERENT.contains(&function.fun().name())
        || (!function.order_bys().is_empty() && !is_list(function));
    function.is_distinct() && !is_bounded
}

/// Whether the states of a function do not merge to the state of all its calls, which are kept in their place: sorted
/// states where two functions of one query are sorted in opposite directions, and `nth_value` without an order, which
/// DataFusion mixes.
fn keeps_calls(function: &AggregateFunctionExpr) -> bool {
    is_list(function) && (!function.order_bys().is_empty() || function.fun().name() == "nth_value")
}

/// Rows one after the other, each after its length.
pub(super) fn push_row(rows: &mut Vec<u8>, row: &[u8]) {
    rows.extend(u32::try_from(row.len()).unwrap_or(u32::MAX).to_le_bytes());
    rows.extend(row);
}

/// The rows that were pushed.
pub(super) fn rows(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (row, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        bytes = rest;
        Some(row)
    })
}

/// The key of what the epoch at `first` adds to a group.
pub(super) fn chunk_key(function: usize, group: &[u8], first: Offset) -> Vec<u8> {
    key(CHUNK, function, group, &first.get().to_be_bytes())
}

/// The key of a value that a group has seen.
pub(super) fn value_key(function: usize, group: &[u8], value: &[u8]) -> Vec<u8> {
    key(VALUE, function, group, value)
}

fn key(kind: u8, function: usize, group: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(9 + group.len() + rest.len());
    key.push(kind);
    key.extend_from_slice(&u32::try_from(function).unwrap_or(u32::MAX).to_be_bytes());
    key.extend_from_slice(&u32::try_from(group.len()).unwrap_or(u32::MAX).to_be_bytes());
    key.extend_from_slice(group);
    key.extend_from_slice(rest);
    key
}

/// A row that is a part of a group's state.
pub(super) struct Part<'a> {
    pub(super) group: &'a [u8],
    pub(super) kind: PartKind,
    /// The state, or the value.
    pub(super) bytes: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartKind {
    Group,
    Chunk(usize),
    Value(usize),
}

/// The parts that `rows` hold; rows of another form are none of ours.
pub(super) fn parts(rows: &KeptRows) -> Vec<Part<'_>> {
    rows.rows().filter_map(|(key, value)| part(key, value)).collect()
}

fn part<'a>(key: &'a [u8], state: &'a [u8]) -> Option<Part<'a>> {
    let (kind, rest) = key.split_first()?;
    if *kind == GROUP {
        return Some(Part { group: rest, kind: PartKind::Group, bytes: state });
    }
    let (function, rest) = rest.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (group, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let function = u32::from_be_bytes(*function) as usize;
    match *kind {
        CHUNK => Some(Part { group, kind: PartKind::Chunk(function), bytes: state }),
        VALUE => Some(Part { group, kind: PartKind::Value(function), bytes: rest }),
        _ => None,
    }
}

/// Two lists of columns, one behind the other.
pub(super) fn concat(first: &[ArrayRef], second: Vec<ArrayRef>) -> Result<Vec<ArrayRef>> {
    let pairs = first.iter().zip(second);
    pairs
        .map(|(first, second)| match (first.len(), second.len()) {
            (0, _) => Ok(second),
            (_, 0) => Ok(Arc::clone(first)),
            _ => Ok(arrow::compute::concat(&[first.as_ref(), second.as_ref()])?),
        })
        .collect()
}
