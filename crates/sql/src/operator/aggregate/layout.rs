//! Where the state of each aggregate function is kept, by how it grows.
//!
//! ```text
//!   function                        kept as                                 written for an event
//!   count, sum, max, stddev, …      its state, in the row of the group      one row
//!   count(DISTINCT), sum(DISTINCT)  a row for each (group, value)           one row, if the value is new
//!   array_agg, median, …            a row for each (group, epoch)           what the epoch added
//!   array_agg(… ORDER BY …), …      its state, in the row of the group      all that the group holds
//! ```
//!
//! Always holds: but for lists with an ORDER BY, what an epoch writes does not depend on how much a group holds. States of one group can be
//! merged in any number, in the order of their offsets; so a group's state is the sum of its rows.
//!
//! ```text
//!   key   0 │ group                                                         → states of bounded functions
//!         1 │ function u32 │ length of group u32 │ group │ first offset u64 → the state that an epoch adds
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

use super::super::kept::Kept;
use super::super::row_codec::RowCodec;

/// Functions whose state is the list of all values.
const LISTS: &[&str] = &["array_agg", "string_agg", "median", "percentile_cont"];
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
                let types = function.expressions().into_iter().map(|argument| argument.data_type(input));
                let fields = types.map(|data_type| Ok(Arc::new(Field::new("value", data_type?, true))));
                Storage::Values(RowCodec::new(&fields.collect::<Result<Vec<_>>>()?)?)
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

/// Whether a function depends on nothing but the set of its arguments.
fn is_set(function: &AggregateFunctionExpr) -> bool {
    function.is_distinct() && function.order_bys().is_empty() && !INDIFFERENT.contains(&function.fun().name())
}

/// Whether a function holds all its arguments, in the order that they come. With an ORDER BY of its own its state is
/// written as a whole: the sorted states of single epochs do not merge to the sorted whole where two functions of one
/// query are sorted in opposite directions.
fn is_list(function: &AggregateFunctionExpr) -> bool {
    LISTS.contains(&function.fun().name()) && !function.is_distinct() && function.order_bys().is_empty()
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
pub(super) fn parts(rows: &Kept) -> Vec<Part<'_>> {
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
