//! Reading a cut of an ordered table.

use std::io;
use std::ops::{Bound, ControlFlow};

use super::table::{OrderedCut, slice_of};
use crate::KeyRange;
use crate::key_range::Span;
use crate::page::Rows;

/// A page ends with the row that makes it as large.
const PAGE_BYTES: usize = 1 << 20;
/// A page ends after so many rows and deletions that were looked at: a stretch of deleted keys holds no one up for
/// long.
const PAGE_STEPS: usize = 1 << 16;

impl OrderedCut {
    /// Every row, in the order of keys.
    ///
    /// # Errors
    /// As [`crate::run::Block::read`].
    pub(crate) fn scan(&self, visit: &mut dyn FnMut(&[u8], &[u8])) -> io::Result<()> {
        for slice in self.0.iter() {
            let _never_broken_off = slice.visit(&Span::ALL, &mut |(key, value)| {
                value.into_iter().for_each(|value| visit(key, value));
                ControlFlow::Continue(())
            })?;
        }
        Ok(())
    }

    /// The first rows of `range`, and what of it is behind them.
    ///
    /// # Errors
    /// As [`crate::run::Block::read`].
    pub(crate) fn range(&self, range: &KeyRange) -> io::Result<(Rows, Option<KeyRange>)> {
        let (span, limit) = (range.span(), range.row_limit());
        let (mut rows, mut next, mut steps) = (Rows::default(), None, 0_usize);
        if span.is_empty() || limit == 0 {
            return Ok((rows, None));
        }
        let first = match span.from {
            Bound::Unbounded => 0,
            Bound::Included(key) | Bound::Excluded(key) => slice_of(&self.0, key),
        };
        let last = match span.to {
            Bound::Unbounded => self.0.len() - 1,
            Bound::Included(key) | Bound::Excluded(key) => slice_of(&self.0, key),
        };
        let mut visit = |(key, value): (&[u8], Option<&[u8]>)| {
            steps += 1;
            if value.is_some() && rows.len() == limit {
                // There is a row more than may be shown.
                let (last, _) = rows.get(limit - 1).unwrap_or_default();
                next = Some(range.behind(last));
                return ControlFlow::Break(());
            }
            if let Some(value) = value {
                rows.push(key, value);
            }
            if rows.byte_len() < PAGE_BYTES && steps < PAGE_STEPS {
                return ControlFlow::Continue(());
            }
            next = Some(range.behind(key));
            ControlFlow::Break(())
        };
        for at in 0..=last - first {
            let at = if span.descending { last - at } else { first + at };
            if self.0[at].visit(&span, &mut visit)?.is_break() {
                break;
            }
        }
        Ok((rows, next))
    }
}
