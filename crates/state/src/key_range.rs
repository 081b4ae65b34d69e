//! Ranges of keys of an ordered table, and the direction in which they are read.

use std::ops::Bound;

/// A range of keys of an ordered table, in byte order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
    descending: bool,
    limit: usize,
}

impl KeyRange {
    /// Every key.
    pub fn all() -> Self {
        Self::between(Bound::Unbounded, Bound::Unbounded)
    }

    /// Keys between these bounds; none where they cross.
    pub fn between(from: Bound<&[u8]>, to: Bound<&[u8]>) -> Self {
        Self {
            from: from.map(<[u8]>::to_vec),
            to: to.map(<[u8]>::to_vec),
            descending: false,
            limit: usize::MAX,
        }
    }

    /// Keys that begin with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        // The first key behind them: the last byte that can be counted up, and no more.
        let to = prefix.iter().rposition(|byte| *byte < u8::MAX).map(|at| {
            let mut to = prefix[..=at].to_vec();
            to[at] += 1;
            to
        });
        let to = to.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        Self::between(Bound::Included(prefix), to)
    }

    /// The same keys from the last to the first.
    #[must_use]
    pub fn descending(self) -> Self {
        Self { descending: true, ..self }
    }

    /// At most so many rows in one page.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// How many rows a page has at most.
    pub fn row_limit(&self) -> usize {
        self.limit
    }

    /// Whether the last key comes first.
    pub fn is_descending(&self) -> bool {
        self.descending
    }

    /// What of the range is behind `key`, in its direction.
    #[must_use]
    pub fn behind(&self, key: &[u8]) -> Self {
        let mut rest = self.clone();
        let bound = if rest.descending { &mut rest.to } else { &mut rest.from };
        *bound = Bound::Excluded(key.to_vec());
        rest
    }

    /// Whether `key` is in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.span().contains(key)
    }

    pub(crate) fn span(&self) -> Span<'_> {
        Span {
            from: self.from.as_ref().map(Vec::as_slice),
            to: self.to.as_ref().map(Vec::as_slice),
            descending: self.descending,
        }
    }
}

/// Bounds of keys, and a direction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    pub(crate) from: Bound<&'a [u8]>,
    pub(crate) to: Bound<&'a [u8]>,
    pub(crate) descending: bool,
}

impl Span<'_> {
    /// Every key, from the first on.
    pub(crate) const ALL: Self = Span { from: Bound::Unbounded, to: Bound::Unbounded, descending: false };

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        !is_below(key, self.from) && !is_above(key, self.to)
    }

    /// Whether no key can be in it.
    pub(crate) fn is_empty(&self) -> bool {
        match (self.from, self.to) {
            (Bound::Included(from), Bound::Included(to)) => from > to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
                from >= to
            }
            _ => false,
        }
    }
}

/// Whether `key` is before what begins at `from`.
pub(crate) fn is_below(key: &[u8], from: Bound<&[u8]>) -> bool {
    match from {
        Bound::Unbounded => false,
        Bound::Included(from) => key < from,
        Bound::Excluded(from) => key <= from,
    }
}

/// Whether `key` is behind what ends at `to`.
pub(crate) fn is_above(key: &[u8], to: Bound<&[u8]>) -> bool {
    match to {
        Bound::Unbounded => false,
        Bound::Included(to) => key > to,
        Bound::Excluded(to) => key >= to,
    }
}
