//! A view by its name, whichever definition of it is served.

use std::sync::Arc;

use async_trait::async_trait;
use factum_base::clock::SharedClock;
use factum_base::tasks::Stop;
use parking_lot::RwLock;
use tokio::sync::watch;

use super::{ViewState, blocking};
use crate::changes::{ChangeLog, RowSource};
use crate::definitions::{Problem, RelationName};
use crate::error::ReadError;
use crate::rebuild::Building;
use crate::view::{Rows, Version};

/// A view.
pub(super) struct View {
    pub(super) name: RelationName,
    pub(super) declared: RwLock<LatestDeclaration>,
    versions: RwLock<Versions>,
    /// Rises when another version is served, or none any more.
    swapped: watch::Sender<u64>,
    pub(super) changes: Arc<ChangeLog>,
    pub(super) clock: SharedClock,
}

/// What was declared last.
#[derive(Debug, Clone, Default)]
pub(super) struct LatestDeclaration {
    pub(super) sql: Arc<str>,
    /// What must be there before it can be planned.
    pub(super) waiting: Option<String>,
}

#[derive(Default)]
struct Versions {
    serving: Option<Arc<Version>>,
    building: Option<(Building, Stop)>,
    is_dropped: bool,
}

impl View {
    pub(super) fn new(name: RelationName, changes: Arc<ChangeLog>, clock: SharedClock) -> Arc<Self> {
        Arc::new(Self {
            name,
            declared: RwLock::default(),
            versions: RwLock::default(),
            swapped: watch::Sender::new(0),
            changes,
            clock,
        })
    }

    /// The version that is served and the one that is being built; they may be the same.
    pub(super) fn versions(&self) -> (Option<Arc<Version>>, Option<Building>) {
        let versions = self.versions.read();
        (versions.serving.clone(), versions.building.as_ref().map(|(building, _)| building.clone()))
    }

    /// Builds a version, giving up any other that was being built; it is served at once if none is.
    pub(super) fn build(&self, building: Building, stop: Stop) {
        let mut versions = self.versions.write();
        if versions.serving.is_none() {
            versions.serving = Some(Arc::clone(&building.version));
        }
        if let Some((_, given_up)) = versions.building.replace((building, stop)) {
            given_up.request();
        }
        drop(versions);
        self.swapped.send_modify(|count| *count += 1);
    }

    /// It waited, and now that the columns are known its definition has one of these problems.
    pub(super) fn misfits(&self, problems: &[Problem]) {
        let mut declared = self.declared.write();
        let place =
            |problem: &Problem| problem.text.find(&*declared.sql).map(|at| at..at + declared.sql.len());
        let own = problems
            .iter()
            .find(|problem| place(problem).is_some_and(|statement| statement.contains(&problem.span.start)));
        let reason = own.map(|problem| format!("a definition that fits its events: {}", problem.message));
        if declared.waiting.is_some() && reason.is_some() {
            declared.waiting = reason;
        }
    }

    /// Goes on with the version that is served.
    pub(super) fn keep(&self) {
        if let Some((_, given_up)) = self.versions.write().building.take() {
            given_up.request();
        }
    }

    /// Serves the version that was built, unless it has been given up meanwhile.
    pub(super) fn swap(&self, built: &Arc<Version>) {
        let mut versions = self.versions.write();
        let is_current = |(building, _): &mut (Building, Stop)| Arc::ptr_eq(&building.version, built);
        if versions.building.take_if(is_current).is_some() {
            versions.serving = Some(Arc::clone(built));
        }
        drop(versions);
        self.swapped.send_modify(|count| *count += 1);
    }

    /// Ends the view for all who read or follow it.
    pub(super) fn drop_all(&self) {
        let mut versions = self.versions.write();
        if let Some((_, given_up)) = versions.building.take() {
            given_up.request();
        }
        (versions.serving, versions.is_dropped) = (None, true);
        drop(versions);
        self.swapped.send_modify(|count| *count += 1);
        self.changes.end();
    }

    pub(super) fn serving(&self) -> Result<Arc<Version>, ReadError> {
        let versions = self.versions.read();
        if let Some(serving) = &versions.serving {
            return Ok(Arc::clone(serving));
        }
        let view = self.name.clone();
        if versions.is_dropped {
            return Err(ReadError::Dropped { view });
        }
        let reason = self.declared.read().waiting.clone();
        Err(ReadError::Waiting { view, reason: reason.unwrap_or_else(|| "its definition".to_owned()) })
    }

    /// The rows now, of the version that is served. Computes long: call it where blocking is allowed.
    pub(super) async fn read(&self) -> Result<Rows, ReadError> {
        loop {
            let version = self.serving()?;
            match version.rows(self.clock.now()).await.map(|rows| self.with_progress(rows, &version)) {
                // It was replaced while we looked at it.
                Err(ReadError::Dropped { .. })
                    if self.serving().is_ok_and(|now| !Arc::ptr_eq(&now, &version)) => {}
                done => return done,
            }
        }
    }
}

impl View {
    /// Rows of the version that is being built say so.
    fn with_progress(&self, mut rows: Rows, version: &Arc<Version>) -> Rows {
        let (_, building) = self.versions();
        if let Some(building) = building.filter(|building| Arc::ptr_eq(&building.version, version)) {
            let (done, total) = building.progress();
            rows.freshness.state = rows.freshness.state.worse(ViewState::Building { done, total });
        }
        rows
    }
}

/// A view with the hand that its refresher holds it by.
#[async_trait]
impl RowSource for View {
    async fn rows(self: Arc<Self>) -> Result<Rows, ReadError> {
        blocking(async move { self.read().await }).await
    }

    fn inputs(&self) -> Vec<watch::Receiver<u64>> {
        let mut inputs = vec![self.swapped.subscribe()];
        if let (Some(serving), _) = self.versions() {
            inputs.extend(serving.inputs());
        }
        inputs
    }

    fn moves_with_time(&self) -> bool {
        self.versions().0.is_some_and(|serving| serving.moves_with_time())
    }
}
