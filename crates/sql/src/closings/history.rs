//! The closings of one kind of windows, in the order of the log.
//!
//! Invariant: each closes more than the one before, at the same offsets or later, whatever records it was made from.

use std::collections::VecDeque;

use factum_types::{Offset, PartitionId};

use super::ClosingRecord;

/// What was closed, and from where on.
#[derive(Debug, Default)]
pub(crate) struct ClosingHistory(VecDeque<ClosingRecord>);

/// What was closed for a range of offsets of one partition.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds(Vec<(Offset, i64)>);

impl Bounds {
    /// Up to where windows were closed for an event at `offset`, in microseconds; none if no window was.
    pub(crate) fn closed_to(&self, offset: Offset) -> Option<i64> {
        let after = self.0.partition_point(|(from, _)| *from <= offset);
        after.checked_sub(1).map(|index| self.0[index].1)
    }
}

impl ClosingHistory {
    /// Adds what was read or written behind all others. A closing that closes no more than the last is passed over: one
    /// that could not be confirmed is written again.
    pub(crate) fn push(&mut self, mut closing: ClosingRecord) {
        if let Some(last) = self.0.back() {
            if closing.closed_to <= last.closed_to {
                return;
            }
            closing.raise(last);
        }
        self.0.push_back(closing);
    }

    pub(crate) fn last(&self) -> Option<&ClosingRecord> {
        self.0.back()
    }

    /// What is closed for the offsets of a partition from `from` on and before `end`.
    pub(crate) fn bounds(&self, partition: PartitionId, from: Offset, end: Offset) -> Bounds {
        let first = self.0.partition_point(|closing| closing.offset(partition) <= from).saturating_sub(1);
        let within = self.0.range(first..).map(|closing| (closing.offset(partition), closing.closed_to));
        Bounds(within.take_while(|(from, _)| *from < end).collect())
    }

    /// Up to where windows are closed and hold all that they ever will, once each partition was read to `next`.
    pub(crate) fn complete_to(&self, next: impl Fn(PartitionId) -> Offset) -> Option<i64> {
        let after = self.0.partition_point(|closing| closing.is_reached(&next));
        after.checked_sub(1).map(|index| self.0[index].closed_to)
    }

    /// Gives up what only matters to events that the topic does not hold any more: it begins at `starts`.
    pub(crate) fn expire(&mut self, starts: impl Fn(PartitionId) -> Offset) {
        while self.0.get(1).is_some_and(|second| second.is_reached(&starts)) {
            self.0.pop_front();
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn closing(closed_to: i64, offsets: &[i64]) -> ClosingRecord {
        ClosingRecord { run: 1, closed_to, offsets: offsets.to_vec() }
    }

    fn history(closings: &[ClosingRecord]) -> ClosingHistory {
        let mut history = ClosingHistory::default();
        closings.iter().cloned().for_each(|closing| history.push(closing));
        history
    }

    #[test]
    fn a_closing_that_was_written_twice_counts_once() {
        let history = history(&[closing(10, &[3, 4]), closing(10, &[3, 4]), closing(20, &[3, 9])]);
        assert_eq!(history.len(), 2);
    }

    #[test]
    fn a_closing_holds_for_the_whole_of_a_partition_that_came_later() {
        let history = history(&[closing(10, &[3])]);
        let bounds = history.bounds(1, Offset::ZERO, Offset::new(5));
        assert_eq!(bounds.closed_to(Offset::ZERO), Some(10));
    }

    #[test]
    fn rows_are_complete_when_every_partition_was_read_to_the_offsets() {
        let history = history(&[closing(10, &[3, 4]), closing(20, &[5, 4])]);
        let complete_to =
            |next: [i64; 2]| history.complete_to(|partition| Offset::new(next[partition as usize]));
        assert_eq!(complete_to([3, 3]), None);
        assert_eq!(complete_to([4, 9]), Some(10));
        assert_eq!(complete_to([5, 4]), Some(20));
    }

    #[test]
    fn expired_closings_are_given_up_but_for_the_last() {
        let mut history = history(&[closing(10, &[3, 4]), closing(20, &[5, 4]), closing(30, &[9, 9])]);
        history.expire(|_| Offset::new(6));
        assert_eq!(history.len(), 2);
        assert_eq!(history.bounds(0, Offset::new(6), Offset::new(7)).closed_to(Offset::new(6)), Some(20));
    }

    proptest! {
        #[test]
        fn windows_closed_at_an_offset_are_those_of_the_greatest_closing_before(
            closings in prop::collection::vec((0..40_i64, prop::collection::vec(0..40_i64, 0..4)), 0..12),
            partition in 0..5_i32,
            from in 0..50_i64,
            count in 1..20_i64,
            start in 0..50_i64,
        ) {
            let closings: Vec<_> = closings.iter().map(|(to, offsets)| closing(*to, offsets)).collect();
            let mut history = history(&closings);
            // The model: what is passed over, and what is raised, on all records in turn.
            let mut kept: Vec<ClosingRecord> = Vec::new();
            for mut closing in closings {
                if let Some(last) = kept.last() {
                    if closing.closed_to <= last.closed_to {
                        continue;
                    }
                    closing.raise(last);
                }
                kept.push(closing);
            }
            let model = |offset: i64| {
                let before = kept.iter().filter(|closing| closing.offset(partition).get() <= offset);
                before.map(|closing| closing.closed_to).max()
            };
            let (first, end) = (Offset::new(from), Offset::new(from + count));
            let bounds = history.bounds(partition, first, end);
            for offset in from..from + count {
                prop_assert_eq!(bounds.closed_to(Offset::new(offset)), model(offset));
            }
            history.expire(|_| Offset::new(start));
            let (first, end) = (Offset::new(start), Offset::new(start + count));
            let bounds = history.bounds(partition, first, end);
            for offset in start..start + count {
                prop_assert_eq!(bounds.closed_to(Offset::new(offset)), model(offset));
            }
        }
    }
}
