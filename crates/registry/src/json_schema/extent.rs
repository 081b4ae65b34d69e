//! The work that schemas make when they are applied to a value.
//!
//! A schema that refers twice to one that refers twice to another makes the validator look at the last one four times. Texts
//! of a few lines can so ask for more than any machine can do. What is known from the schemas alone is refused when they are
//! read; where it depends on the value too, it is counted before the value is validated.
//!
//! Invariants: schemas that apply to the same part of a value have no cycle, and follow one another at most [`MAX_CHAIN`]
//! times.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::document::NodeId;
use super::keyword::Part;
use super::references::References;
use crate::InvalidSchema;

/// Schemas that follow one another for the same value (`$ref` to `allOf` to `$ref`), at most.
pub(super) const MAX_CHAIN: usize = 64;
/// Schemas that apply to the same value, each as often as it is referred to, at most.
const MAX_SAME: u64 = 50_000;
/// Schemas that apply to the same value without being counted for each value.
const FEW_SAME: u64 = 100;
/// Schemas with all that they refer to written out, without being counted for each value.
const FEW_IN_ALL: u64 = 100_000;
/// Schemas that are applied to the parts of a value, at most, whatever its size.
const MIN_COUNT: usize = 200_000;
/// The same for each byte of the value.
const COUNT_PER_BYTE: usize = 64;
/// The same in all.
const MAX_COUNT: usize = 5_000_000;

/// The work that the schemas of some texts make.
#[derive(Debug)]
pub(super) struct Extent {
    /// Schemas that refer to themselves by way of others: the validator looks at each only once for each part of a value.
    cyclic: HashSet<NodeId>,
    is_counted: bool,
}

impl Extent {
    /// Measures the schemas.
    ///
    /// # Errors
    /// [`InvalidSchema`] with the place of a schema that refers to itself without end, that leads too far, or of which too
    /// many apply to the same value.
    pub(super) fn measure(references: &References) -> Result<Self, InvalidSchema> {
        let same = |id| -> Vec<NodeId> {
            let whole = references.within(id).into_iter().filter(|(part, _)| *part == Part::Whole);
            whole.map(|(_, child)| child).collect()
        };
        let mut lengths: HashMap<NodeId, usize> = HashMap::new();
        let mut many = false;
        let cyclic = walk(references, same, |id, children, totals| {
            let length =
                1 + children.iter().filter_map(|child| lengths.get(child)).max().copied().unwrap_or(0);
            lengths.insert(id, length);
            let total = totals.get(&id).copied().unwrap_or(1);
            many |= total > FEW_SAME;
            if length > MAX_CHAIN {
                let reason = format!("more than {MAX_CHAIN} schemas follow one another for the same value");
                return Err(InvalidSchema::at(references.place(id), reason));
            }
            if total > MAX_SAME {
                return Err(InvalidSchema::at(
                    references.place(id),
                    format!("more than {MAX_SAME} schemas apply to the same value"),
                ));
            }
            Ok(())
        })?;
        if let Some(id) = cyclic.iter().min() {
            let reason = "the schema refers to itself without saying anything about a value";
            return Err(InvalidSchema::at(references.place(*id), reason));
        }
        let all = |id| references.within(id).into_iter().map(|(_, child)| child).collect();
        let cyclic = walk(references, all, |id, _, totals| {
            many |= totals.get(&id).is_some_and(|total| *total > FEW_IN_ALL);
            Ok(())
        })?;
        Ok(Self { cyclic, is_counted: many })
    }

    /// Whether a value that was read from `bytes` bytes may be validated.
    pub(super) fn allows(&self, references: &References, value: &Value, bytes: usize) -> bool {
        let limit = bytes.saturating_mul(COUNT_PER_BYTE).saturating_add(MIN_COUNT).min(MAX_COUNT);
        !self.is_counted || count_within(references, value, limit, Some(&self.cyclic))
    }
}

/// Goes through all schemas, those that others lead to first, without recursion, and gives those that lead to themselves.
/// `finish` is told each schema, what it leads to, and how many schemas that is, each as often as it is come to.
fn walk(
    references: &References,
    next: impl Fn(NodeId) -> Vec<NodeId>,
    mut finish: impl FnMut(NodeId, &[NodeId], &HashMap<NodeId, u64>) -> Result<(), InvalidSchema>,
) -> Result<HashSet<NodeId>, InvalidSchema> {
    let mut cyclic = HashSet::new();
    let mut totals: HashMap<NodeId, u64> = HashMap::new();
    let mut open: HashSet<NodeId> = HashSet::new();
    for start in references.schemas() {
        if totals.contains_key(&start) {
            continue;
        }
        open.insert(start);
        let mut path = vec![(start, next(start), 0_usize)];
        while let Some((id, children, done)) = path.last_mut() {
            if let Some(child) = children.get(*done).copied() {
                *done += 1;
                if open.contains(&child) {
                    cyclic.insert(child);
                } else if !totals.contains_key(&child) {
                    open.insert(child);
                    path.push((child, next(child), 0));
                }
                continue;
            }
            let total = children
                .iter()
                .map(|child| totals.get(child).copied().unwrap_or(1))
                .fold(1, u64::saturating_add);
            let (id, children) = (*id, std::mem::take(children));
            totals.insert(id, total);
            open.remove(&id);
            path.pop();
            finish(id, &children, &totals)?;
        }
    }
    Ok(cyclic)
}

/// Whether at most `limit` schemas are applied to the parts of a value. Those in `once` count once for each part.
pub(super) fn count_within(
    references: &References,
    value: &Value,
    limit: usize,
    once: Option<&HashSet<NodeId>>,
) -> bool {
    let mut seen: HashSet<(NodeId, usize)> = HashSet::new();
    let mut count = 0;
    let mut open: Vec<(NodeId, &Value)> = vec![(references.root(), value)];
    while let Some((id, value)) = open.pop() {
        let is_once = once.is_some_and(|once| once.contains(&id)) && (value.is_object() || value.is_array());
        if is_once && !seen.insert((id, std::ptr::from_ref(value) as usize)) {
            continue;
        }
        count += 1;
        for (part, child) in references.within(id) {
            match part {
                Part::Whole => open.push((child, value)),
                Part::Member(name) => open.extend(value.get(name).map(|value| (child, value))),
                Part::Item(index) => open.extend(value.get(index).map(|value| (child, value))),
                Part::Members => {
                    let members = value.as_object().into_iter().flat_map(|members| members.values());
                    open.extend(members.map(|value| (child, value)));
                }
                Part::Items => {
                    open.extend(value.as_array().into_iter().flatten().map(|value| (child, value)));
                }
                Part::Nothing => {}
            }
            if count + open.len() > limit {
                return false;
            }
        }
    }
    count <= limit
}
