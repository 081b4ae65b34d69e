//! Transactions of a partition, as its readers need to know them: the undecided ones, and the aborted ones.
//!
//! ```text
//!   a  b  a  [b aborted]  c  c │ a …        a and c have no marker yet
//!   └─ stable offset: the first record of a │        high watermark
//! ```
//!
//! Invariants
//! - The stable offset never passes the first record of a transaction whose marker is not durable, and never
//!   goes back. Below it every transaction is decided: its records count, or it is in a list of aborted ones.
//! - Both are functions of the batches: a marker says where its transaction began, so that the list of a segment is
//!   rebuilt from that segment alone.
//!
//! Not here: who may end a transaction, and when. The format of markers is in `factum_types::record`.

use std::collections::{BTreeSet, HashMap, VecDeque};

use factum_types::record::{TransactionMarker, TransactionOutcome};
use factum_types::{BatchHeader, Offset, ProducerId};

/// Which records a reader is given (KIP-98, `isolation.level`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// All that are durable.
    ReadUncommitted,
    /// Those below the stable offset, with a list of the aborted transactions among them.
    ReadCommitted,
}

/// A transaction whose records do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Its producer.
    pub producer_id: ProducerId,
    /// Its first record.
    pub first: Offset,
    /// Its marker.
    pub last: Offset,
    /// Below this, every other transaction was decided when the marker was written: those that were aborted later
    /// begin at or behind it.
    pub(crate) stable: Offset,
}

impl AbortedTransaction {
    /// The transaction that a marker in the log ends, if it was aborted and wrote something.
    pub(crate) fn ended_by(header: &BatchHeader, marker: &TransactionMarker) -> Option<Self> {
        let range = marker.range.filter(|_| marker.outcome == TransactionOutcome::Abort)?;
        let (first, stable) = (range.first, range.stable);
        Some(Self { producer_id: header.producer_id, first, last: Offset::new(header.base_offset), stable })
    }
}

/// The batches of aborted transactions, to be passed over.
#[derive(Debug, Default)]
pub struct AbortedRanges(HashMap<ProducerId, Vec<(Offset, Offset)>>);

impl AbortedRanges {
    /// Those of transactions in the order of their markers.
    pub fn new(aborted: &[AbortedTransaction]) -> Self {
        let mut ranges = Self::default();
        for transaction in aborted {
            ranges.0.entry(transaction.producer_id).or_default().push((transaction.first, transaction.last));
        }
        ranges
    }

    /// Whether a batch in the log belongs to one of them. The transactions of a producer follow one another.
    pub fn contains(&self, header: &BatchHeader) -> bool {
        if !header.is_transactional() || header.is_control() {
            return false;
        }
        let Some(ranges) = self.0.get(&header.producer_id) else { return false };
        let base = Offset::new(header.base_offset);
        let at = ranges.partition_point(|(_, last)| *last < base);
        ranges.get(at).is_some_and(|(first, _)| *first <= base)
    }
}

/// The transactions of a log that are undecided to its readers.
#[derive(Debug, Default)]
pub(crate) struct UndecidedTransactions {
    /// The first records of those without a marker.
    open: BTreeSet<Offset>,
    /// The first records and the markers of those whose marker may not be durable yet.
    ended: VecDeque<(Offset, Offset)>,
}

impl UndecidedTransactions {
    /// Those that are open, by their first records.
    pub(crate) fn new(open: impl Iterator<Item = Offset>) -> Self {
        Self { open: open.collect(), ended: VecDeque::new() }
    }

    /// Takes note of a transaction that begins at `first`.
    pub(crate) fn begin(&mut self, first: Offset) {
        self.open.insert(first);
    }

    /// Takes note of the marker, at `last`, of the transaction that began at `first`.
    pub(crate) fn end(&mut self, first: Offset, last: Offset) {
        self.open.remove(&first);
        self.ended.push_back((first, last));
    }

    /// The first record of the oldest open transaction but the one that began at `except`.
    pub(crate) fn oldest_open(&self, except: Option<Offset>) -> Option<Offset> {
        self.open.iter().copied().find(|first| Some(*first) != except)
    }

    /// The stable offset of a log that is durable up to `high_watermark`.
    pub(crate) fn stable(&mut self, high_watermark: Offset) -> Offset {
        // Markers lie in the order in which they were appended.
        while self.ended.front().is_some_and(|(_, last)| *last < high_watermark) {
            self.ended.pop_front();
        }
        let ended = self.ended.iter().map(|(first, _)| *first).min();
        [self.oldest_open(None), ended].into_iter().flatten().fold(high_watermark, Offset::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stable(transactions: &mut UndecidedTransactions, high_watermark: i64) -> i64 {
        transactions.stable(Offset::new(high_watermark)).get()
    }

    #[test]
    fn the_stable_offset_waits_for_the_marker_to_be_durable() {
        let mut transactions = UndecidedTransactions::default();
        assert_eq!(stable(&mut transactions, 3), 3);
        transactions.begin(Offset::new(4));
        transactions.begin(Offset::new(6));
        assert_eq!(stable(&mut transactions, 7), 4);
        transactions.end(Offset::new(4), Offset::new(8));
        assert_eq!(stable(&mut transactions, 8), 4, "the marker at 8 is not durable");
        assert_eq!(stable(&mut transactions, 9), 6);
        transactions.end(Offset::new(6), Offset::new(9));
        assert_eq!(stable(&mut transactions, 10), 10);
    }
}
