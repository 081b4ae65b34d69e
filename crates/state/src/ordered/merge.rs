//! The rows of a slice in order: those in memory, and of its run those that memory does not hide.

use std::cmp::Ordering;
use std::io;
use std::ops::ControlFlow;

use super::leaf::Row;
use super::slice::Slice;
use crate::key_range::Span;

/// Is shown each row and each deletion.
pub(super) type VisitRow<'v> = dyn FnMut(Row<'_>) -> ControlFlow<()> + 'v;

impl Slice {
    /// Shows the rows and deletions of `span` in its direction, until `visit` breaks off.
    ///
    /// # Errors
    /// As [`crate::run::Block::read`].
    pub(super) fn visit(&self, span: &Span<'_>, visit: &mut VisitRow<'_>) -> io::Result<ControlFlow<()>> {
        let mut memory = self.rows_in_memory(span).peekable();
        let mut run = match &self.run {
            Some(run) => run.cursor(span)?,
            None => None,
        };
        loop {
            let spilled = match &mut run {
                Some(run) => run.peek()?,
                None => None,
            };
            let order = match (memory.peek(), spilled) {
                (None, None) => return Ok(ControlFlow::Continue(())),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((key, _)), Some((other, _))) if span.descending => other.cmp(key),
                (Some((key, _)), Some((other, _))) => (*key).cmp(other),
            };
            let flow = match (order, spilled) {
                (Ordering::Greater, Some((key, value))) => visit((key, Some(value))),
                _ => memory.next().map_or(ControlFlow::Continue(()), &mut *visit),
            };
            if let Some(run) = run.as_mut().filter(|_| order.is_ge()) {
                run.advance();
            }
            if flow.is_break() {
                return Ok(flow);
            }
        }
    }
}
