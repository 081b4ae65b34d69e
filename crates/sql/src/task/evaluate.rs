//! Runs an operator over an epoch, and finds the events that it cannot compute.

use std::ops::Range;

use factum_state::{Changes, ReadError, StateStore, TaskId};

use super::prepared::PreparedEpoch;
use crate::operator::{self, Operator};
use crate::wording;

/// What came of a range of records.
#[derive(Debug, Default)]
pub(crate) struct EvaluationResult {
    pub(crate) changes: Changes,
    /// Records that cannot be computed, and why.
    pub(crate) culprits: Vec<(usize, String)>,
}

/// One operator with the state it works on.
pub(crate) struct Evaluation<'a> {
    pub(crate) operator: &'a Operator,
    pub(crate) state: &'a dyn StateStore,
    pub(crate) task: &'a TaskId,
    pub(crate) prepared: &'a PreparedEpoch,
}

/// Either the changes of some rows, or why they cannot be computed.
type Attempt = Result<Changes, String>;

impl Evaluation<'_> {
    /// Computes `records`. `None` if each of them can be computed alone but not all together: they must be
    /// committed in smaller epochs then.
    pub(crate) async fn evaluate(
        &self,
        records: &Range<usize>,
    ) -> Result<Option<EvaluationResult>, ReadError> {
        let rows = self.prepared.rows_of(records);
        let reason = match self.attempt(records, &rows, &[]).await? {
            Ok(changes) => return Ok(Some(EvaluationResult { changes, culprits: Vec::new() })),
            Err(reason) => reason,
        };
        if records.len() == 1 {
            return Ok(Some(EvaluationResult {
                changes: Changes::new(),
                culprits: vec![(records.start, reason)],
            }));
        }
        let culprits = self.sift(records, &rows).await?;
        if culprits.is_empty() {
            return Ok(None);
        }
        let without: Vec<usize> = culprits.iter().map(|(row, _)| *row).collect();
        let Ok(changes) = self.attempt(records, &rows, &without).await? else { return Ok(None) };
        let culprits = culprits.into_iter();
        let culprits = culprits.map(|(row, reason)| (self.prepared.record_of(row), reason)).collect();
        Ok(Some(EvaluationResult { changes, culprits }))
    }

    /// The rows that cannot be computed even alone, found by halving; they ascend.
    async fn sift(
        &self,
        records: &Range<usize>,
        rows: &Range<usize>,
    ) -> Result<Vec<(usize, String)>, ReadError> {
        let mut culprits = Vec::new();
        let mut suspects = vec![rows.clone()];
        while let Some(rows) = suspects.pop() {
            let Err(reason) = self.attempt(records, &rows, &[]).await? else { continue };
            if rows.len() == 1 {
                culprits.push((rows.start, reason));
                continue;
            }
            let middle = rows.start + rows.len() / 2;
            suspects.push(middle..rows.end);
            suspects.push(rows.start..middle);
            tokio::task::yield_now().await;
        }
        Ok(culprits)
    }

    async fn attempt(
        &self,
        records: &Range<usize>,
        rows: &Range<usize>,
        without: &[usize],
    ) -> Result<Attempt, ReadError> {
        let batches = self.prepared.slices(rows, without);
        if batches.is_empty() {
            return Ok(Ok(Changes::new()));
        }
        let first = self.prepared.records[records.start].offset;
        match self.operator.run(batches, first, self.state, self.task).await {
            Ok(changes) => Ok(Ok(changes)),
            Err(operator::Error::State(error)) => Err(error),
            Err(operator::Error::Compute(error)) => Ok(Err(wording::reason(&error))),
        }
    }
}
