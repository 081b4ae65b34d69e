//! Status of views, for operators.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use factum_types::{PartitionId, Timestamp};

use super::View;
use crate::definitions::RelationName;
use crate::pipeline::{Hindrance, Pipeline};
use crate::task::RejectedEvents;
use crate::view::Version;

/// A view at this moment.
#[derive(Debug, Clone)]
pub struct ViewStatus {
    /// Its name.
    pub name: RelationName,
    /// Its statement, as it was written.
    pub sql: Arc<str>,
    /// Its columns; `None` while it waits for an event to learn them from.
    pub columns: Option<SchemaRef>,
    /// What it is doing.
    pub state: ViewState,
    /// Views and tables and topics that it reads.
    pub depends_on: Vec<String>,
    /// Each partition of each cut; none for a view that only stands on others.
    pub partitions: Vec<PartitionStatus>,
    /// How many rows it had when they were computed last; `None` if it has not been read since the start.
    pub rows: Option<u64>,
    /// The time up to which the log was read for the rows that are served; now, where nothing is left to read.
    pub as_of: Timestamp,
    /// Events in the log that it has not taken in.
    pub lag: u64,
    /// Events per second that it takes in.
    pub rate: f64,
    /// No event before this time (microseconds since 1970) is expected: the least of its partitions.
    pub watermark: Option<i64>,
    /// Bytes of its state in memory.
    pub state_bytes: u64,
    /// Events that could not be taken in, ever.
    pub poisoned: u64,
    /// Rows that came after their window had closed, ever.
    pub late: u64,
    /// Events whose time was too far ahead of their record's to move the watermark, ever.
    pub ahead: u64,
    /// Offsets that could not be read from the log, ever: damaged, or expired before they were read.
    pub unreadable: u64,
    /// Dead letters that wait, because their topic cannot be made or written.
    pub letters_waiting: u64,
    /// Why they wait.
    pub letters_problem: Option<String>,
    /// Dead letters that were given up, ever: too many waited, or their topic refused them.
    pub letters_lost: u64,
    /// Events that went to dead letters, ever; `None` of those that a version kept that did not say why.
    pub rejected: Option<RejectedEvents>,
    /// What an operator is to see to of them, if it is not long over.
    pub rejected_problem: Option<String>,
    /// What went wrong last since the start, but for those.
    pub last_error: Option<String>,
}

/// What a view is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewState {
    /// It takes in what the log holds already: so many events of so many. If it replaces another definition, that
    /// one is served meanwhile.
    Building {
        /// Events taken in.
        done: u64,
        /// Events that the log held when the definition was applied.
        total: u64,
    },
    /// It follows the log.
    Live,
    /// It cannot begin: its topic does not exist or has no event to learn columns from.
    Waiting(String),
    /// It is stuck, and tries again.
    Failed(String),
}

/// A partition of a view's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionStatus {
    /// `<topic>`.
    pub topic: String,
    /// The partition.
    pub partition: PartitionId,
    /// The offset to be read next.
    pub next: i64,
    /// Behind the last record seen in the log.
    pub end: i64,
    /// Epochs committed, ever.
    pub epoch: u64,
    /// See [`ViewStatus::watermark`].
    pub watermark: Option<i64>,
}

impl View {
    pub(super) fn status(&self) -> ViewStatus {
        let (serving, building) = self.versions();
        let mut status = ViewStatus {
            name: self.name.clone(),
            sql: Arc::clone(&self.declared.read().sql),
            columns: None,
            state: ViewState::Live,
            depends_on: Vec::new(),
            partitions: Vec::new(),
            rows: None,
            as_of: self.clock.now(),
            lag: 0,
            rate: 0.0,
            watermark: None,
            state_bytes: 0,
            poisoned: 0,
            late: 0,
            ahead: 0,
            unreadable: 0,
            letters_waiting: 0,
            letters_problem: None,
            letters_lost: 0,
            rejected: None,
            rejected_problem: None,
            last_error: None,
        };
        let newest = building.as_ref().map(|building| &building.version).or(serving.as_ref());
        let Some(newest) = newest else {
            let reason = self.declared.read().waiting.clone();
            status.state = ViewState::Waiting(reason.unwrap_or_default());
            return status;
        };
        let shown = serving.as_ref().unwrap_or(newest);
        status.as_of = shown.freshness(status.as_of).as_of;
        status.rows = shown.counted_rows();
        status.columns = Some(Arc::clone(&shown.plan.columns));
        status.depends_on = shown.plan.reads();
        for pipeline in &newest.pipelines {
            status.add(pipeline);
        }
        let now = self.clock.now();
        status.rejected_problem = status.rejected.as_ref().and_then(|rejected| rejected.problem(now));
        status.state = ViewState::of(newest, building.as_ref().map(|building| building.progress()));
        status
    }
}

impl ViewStatus {
    fn add(&mut self, pipeline: &Pipeline) {
        let surveyed = pipeline.surveyed();
        self.state_bytes += surveyed.state_bytes;
        self.rate += surveyed.rate;
        for (partition, status) in pipeline.statuses() {
            self.lag += status.lag();
            let counts = status.counts();
            self.poisoned += counts.poisoned;
            self.late += counts.late;
            self.ahead += counts.ahead;
            self.unreadable += counts.unreadable;
            self.letters_lost += counts.letters_lost;
            let (waiting, problem) = status.waiting_letters();
            self.letters_waiting += waiting;
            self.letters_problem = problem.or(self.letters_problem.take());
            self.rejected = match status.rejected() {
                Some(added) => Some(RejectedEvents::sum(self.rejected.take(), added)),
                None => self.rejected.take(),
            };
            self.last_error = status.last_error().or(self.last_error.take());
            let watermark = status.watermark();
            self.watermark = match self.partitions.is_empty() {
                true => watermark,
                false => self.watermark.min(watermark),
            };
            self.partitions.push(PartitionStatus {
                topic: pipeline.topic().to_string(),
                partition,
                next: status.next(),
                end: status.end(),
                epoch: status.epoch(),
                watermark,
            });
        }
    }
}

impl ViewState {
    /// What a version is doing; `progress` is of one that is being built: events taken in, of so many.
    pub(crate) fn of(version: &Version, progress: Option<(u64, u64)>) -> Self {
        let pipelines = version.all_pipelines();
        match pipelines.iter().find_map(|pipeline| pipeline.hindrance()) {
            Some(Hindrance::NoTopic(reason)) => return Self::Waiting(reason),
            Some(Hindrance::Unavailable(reason)) => return Self::Failed(reason),
            None => {}
        }
        if let Some(reason) = pipelines.iter().find_map(|pipeline| pipeline.closing_problem()) {
            return Self::Failed(reason);
        }
        let statuses = pipelines.iter().flat_map(|pipeline| pipeline.statuses());
        if let Some(reason) = statuses.into_iter().find_map(|(_, status)| status.trouble()) {
            return Self::Failed(reason);
        }
        match progress {
            Some((done, total)) => Self::Building { done, total },
            None => Self::Live,
        }
    }

    /// The one of both that rows suffer more from.
    pub(crate) fn worse(self, other: Self) -> Self {
        let rank = |state: &Self| match state {
            Self::Live => 0,
            Self::Building { .. } => 1,
            Self::Waiting(_) => 2,
            Self::Failed(_) => 3,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}
