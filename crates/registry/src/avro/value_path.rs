//! The path of a part of a value, and the bounds of its reading.

use std::fmt::Write as _;

use crate::{MAX_DEPTH, ValueError};

/// The most bytes that a value becomes, beside [`GROWTH`] for each of its own.
const LEAST_LIMIT: usize = 64 << 10;

/// The parts that a value may have at most, beside [`GROWTH`] for each of its bytes.
const LEAST_PARTS: usize = 1 << 20;

/// Bytes of the other form for each byte of the one; names of fields are in JSON only.
const GROWTH: usize = 256;

/// The most steps of a path that are written.
const WRITTEN: usize = 256;

#[derive(Debug)]
enum Step<'a> {
    Field(&'a str),
    Item(u64),
}

/// A path that grows and shrinks with the part that is read.
///
/// Invariants: no deeper than [`MAX_DEPTH`] records, arrays and maps; no more parts than the limit of the value's size.
#[derive(Debug)]
pub(crate) struct ValuePath<'a> {
    steps: Vec<Step<'a>>,
    depth: usize,
    parts_left: usize,
    limit: usize,
}

impl<'a> ValuePath<'a> {
    /// For a value that is read from so many bytes.
    pub(crate) fn new(length: usize) -> Self {
        let growth = length.saturating_mul(GROWTH);
        let (limit, parts_left) = (LEAST_LIMIT.saturating_add(growth), LEAST_PARTS.saturating_add(growth));
        Self { steps: Vec::new(), depth: 0, parts_left, limit }
    }

    /// The most bytes that are written of it.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// # Errors
    ///
    /// `written` bytes are too many, or the value has too many parts.
    pub(crate) fn count(&mut self, written: usize) -> Result<(), ValueError> {
        self.parts_left = self.parts_left.saturating_sub(1);
        if written > self.limit || self.parts_left == 0 {
            let reason = format!("value too large: it grows to more than {} bytes", self.limit);
            return Err(self.error(reason));
        }
        Ok(())
    }

    /// Counts the branches of a union, which are searched for each of its values.
    pub(crate) fn count_branches(&mut self, branches: usize) {
        self.parts_left = self.parts_left.saturating_sub(branches.div_ceil(4));
    }

    /// Enters a record, an array or a map; every successful call has its [`Self::leave`].
    ///
    /// # Errors
    ///
    /// It is one too many within one another.
    pub(crate) fn enter(&mut self) -> Result<(), ValueError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(format!("value nested too deeply: the limit is {MAX_DEPTH}")));
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(crate) fn push_field(&mut self, name: &'a str) {
        self.steps.push(Step::Field(name));
    }

    pub(crate) fn push_item(&mut self, at: u64) {
        self.steps.push(Step::Item(at));
    }

    pub(crate) fn pop(&mut self) {
        self.steps.pop();
    }

    /// An error of the part that is read.
    pub(crate) fn error(&self, reason: impl Into<String>) -> ValueError {
        let mut path = String::new();
        for step in self.steps.iter().take(WRITTEN) {
            let written = match step {
                Step::Field(name) => write!(path, "{}{name}", if path.is_empty() { "" } else { "." }),
                Step::Item(at) => write!(path, "[{at}]"),
            };
            written.expect("a string takes everything");
        }
        ValueError { path: Some(path).filter(|path| !path.is_empty()), reason: reason.into() }
    }
}
