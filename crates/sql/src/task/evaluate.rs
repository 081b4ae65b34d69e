//! Runs an operator over an epoch, and finds the events that it cannot compute.

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use factum_base::tasks::Stop;
use factum_state::{Changes, ReadError, StateStore, TaskId};

use super::prepared::PreparedEpoch;
use crate::operator::{self, Operator};
use crate::view_threads::StepRunner;
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
    pub(crate) operator: &'a Arc<Operator>,
    pub(crate) state: &'a Arc<dyn StateStore>,
    pub(crate) task: &'a TaskId,
    pub(crate) prepared: &'a PreparedEpoch,
    /// Where it computes, until `stop`.
    pub(crate) steps: &'a StepRunner,
    pub(crate) stop: &'a Stop,
}

/// Why a range of records was not computed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvaluationError {
    #[error(transparent)]
    State(#[from] ReadError),
    #[error("stopped while computing")]
    Stopped,
}

/// Either the changes of some rows, or why they cannot be computed.
type Attempt = Result<Changes, Reason>;

/// Why rows cannot be computed.
struct Reason {
    text: String,
    /// They ask for too much together, which is no one's fault if each of them can be computed alone.
    is_of_size: bool,
}

impl Reason {
    fn of(error: &DataFusionError) -> Self {
        let is_of_size = matches!(error.find_root(), DataFusionError::ResourcesExhausted(_));
        Self { text: wording::reason(error), is_of_size }
    }
}

impl Evaluation<'_> {
    /// Computes `records`. `None` if each of them can be computed alone but not all together: they must be
    /// committed in smaller epochs then.
    pub(crate) async fn evaluate(
        &self,
        records: &Range<usize>,
    ) -> Result<Option<EvaluationResult>, EvaluationError> {
        let rows = self.prepared.rows_of(records);
        let reason = match self.attempt(records, &rows, &[]).await? {
            Ok(changes) => return Ok(Some(EvaluationResult { changes, culprits: Vec::new() })),
            Err(reason) => reason,
        };
        if records.len() == 1 {
            return Ok(Some(EvaluationResult {
                changes: Changes::new(),
                culprits: vec![(records.start, reason.text)],
            }));
        }
        if reason.is_of_size {
            return Ok(None);
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
    ) -> Result<Vec<(usize, String)>, EvaluationError> {
        let mut culprits = Vec::new();
        let mut suspects = vec![rows.clone()];
        while let Some(rows) = suspects.pop() {
            let Err(reason) = self.attempt(records, &rows, &[]).await? else { continue };
            if rows.len() == 1 {
                culprits.push((rows.start, reason.text));
                continue;
            }
            let middle = rows.start + rows.len() / 2;
            suspects.push(middle..rows.end);
            suspects.push(rows.start..middle);
        }
        Ok(culprits)
    }

    async fn attempt(
        &self,
        records: &Range<usize>,
        rows: &Range<usize>,
        without: &[usize],
    ) -> Result<Attempt, EvaluationError> {
        let batches = self.prepared.slices(rows, without);
        if batches.is_empty() {
            return Ok(Ok(Changes::new()));
        }
        let first = self.prepared.records[records.start].offset;
        let (operator, state) = (Arc::clone(self.operator), Arc::clone(self.state));
        let task = self.task.clone();
        let step = async move {
            let computed = operator.run(batches, first, &*state, &task).await;
            computed.map_err(|error| match error {
                operator::Error::State(error) => Err(error),
                operator::Error::Compute(error) => Ok(Reason::of(&error)),
            })
        };
        match self.steps.run(self.stop, step).await {
            Some(Ok(changes)) => Ok(Ok(changes)),
            Some(Err(Ok(reason))) => Ok(Err(reason)),
            Some(Err(Err(error))) => Err(error.into()),
            None => Err(EvaluationError::Stopped),
        }
    }
}
