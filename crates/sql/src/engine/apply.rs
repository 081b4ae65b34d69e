//! Putting definitions into effect.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use factum_base::tasks::Stop;
use factum_state::TaskId;
use tokio::sync::watch;
use tracing::{info, warn};

use super::view::{LatestDeclaration, View};
use super::{Effective, Engine, Others, PLANNING_WAIT, schemas};
use crate::changes::ChangeLog;
use crate::definitions::{DeclaredView, Definitions, RelationName};
use crate::error::{ApplyError, QueryError};
use crate::pipeline::Pipeline;
use crate::plan::{self, PlanResult, ViewPlan};
use crate::rebuild::Building;
use crate::view::Version;
use crate::wording;
use schemas::{SchemaSearch, Schemas};

/// What putting definitions into effect did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyResult {
    /// Views that are new.
    pub created: Vec<RelationName>,
    /// Views that are rebuilt beside what is served.
    pub changed: Vec<RelationName>,
    /// Views that go on.
    pub unchanged: Vec<RelationName>,
    /// Views that are gone.
    pub dropped: Vec<RelationName>,
    /// Views that wait for the first event of a topic.
    pub waiting: Vec<RelationName>,
}

/// Definitions with the plans of their views: what [`Engine::check`] found good.
pub struct PlannedDefinitions {
    definitions: Definitions,
    pub(super) planned: Arc<PlanResult>,
    schemas: Schemas,
}

impl PlannedDefinitions {
    /// The definitions.
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// Every view that they declare, materialized or not.
    pub fn declared_views(&self) -> &[DeclaredView] {
        &self.planned.declared
    }
}

impl fmt::Debug for PlannedDefinitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannedDefinitions").field("definitions", &self.definitions).finish_non_exhaustive()
    }
}

/// A view with what it goes on with.
struct Placement {
    view: Arc<View>,
    plan: Arc<ViewPlan>,
    is_new: bool,
    place: Place,
}

/// The version that a definition is given.
enum Place {
    /// The one that is being built is defined the same.
    Building(Arc<Version>),
    /// The one that is served is.
    Serving(Arc<Version>),
    /// Neither is.
    New(Building),
}

impl Place {
    fn version(&self) -> &Arc<Version> {
        match self {
            Self::Building(version) | Self::Serving(version) => version,
            Self::New(building) => &building.version,
        }
    }
}

impl Engine {
    /// Plans definitions on a thread of its own, which ends after its statement if the future is dropped. Those that are in
    /// effect are not planned again: at a start the folder mostly says what is on record.
    pub(super) async fn plan(&self, definitions: Definitions) -> Result<PlannedDefinitions, ApplyError> {
        let mut schemas = schemas::find(&self.0.environment, &definitions).await?;
        let mut problems = std::mem::take(&mut schemas.problems);
        let effective = self.effective();
        if problems.is_empty() && effective.is_of(&definitions, &schemas) {
            return Ok(PlannedDefinitions { definitions, planned: Arc::clone(&effective.planned), schemas });
        }
        let unavailable = |error: QueryError| ApplyError::Unavailable { reason: error.to_string() };
        let slot = self.0.plannings.slot(None, PLANNING_WAIT).await.map_err(unavailable)?;
        let planning = slot.run(async move {
            let planned = plan::plan(&definitions, &schemas.known);
            Ok(planned.map(|planned| PlannedDefinitions { definitions, planned: Arc::new(planned), schemas }))
        });
        match planning.await.map_err(unavailable)? {
            Ok(planned) if problems.is_empty() => Ok(planned),
            Ok(_) => Err(ApplyError::Refused(problems)),
            Err(found) => {
                problems.extend(found);
                Err(ApplyError::Refused(problems))
            }
        }
    }

    pub(super) async fn put_into_effect(
        &self,
        planned: PlannedDefinitions,
        others: Others,
    ) -> Result<ApplyResult, ApplyError> {
        let PlannedDefinitions { definitions, planned, schemas } = planned;
        if !self.effective().views.is_empty() {
            self.guard_history(&definitions, &planned).await?;
        }
        let mut effective = Effective {
            definitions,
            schemas: schemas.known,
            awaited: schemas.awaited,
            others,
            ..Effective::default()
        };
        let placements = match self.prepare(&planned, &effective).await {
            Ok(placements) => placements,
            Err(error) => {
                // Nothing has been switched: pipelines that were started are not needed.
                self.sweep();
                return Err(error);
            }
        };
        let before = self.effective();
        let mut applied = self.switch(placements, &mut effective);
        for awaiting in &planned.awaiting {
            let known = before.views.get(&awaiting.name).cloned();
            let view = known.unwrap_or_else(|| self.new_view(&awaiting.name));
            let waiting = Some(effective.waits_for(&awaiting.topic));
            *view.declared.write() = LatestDeclaration { sql: Arc::clone(&awaiting.sql), waiting };
            applied.waiting.push(awaiting.name.clone());
            effective.views.insert(awaiting.name.clone(), view);
        }
        effective.planned = planned;
        if others == Others::Kept {
            for (name, view) in &before.views {
                effective.views.entry(name.clone()).or_insert_with(|| Arc::clone(view));
            }
        }
        let gone = before.views.iter().filter(|(name, _)| !effective.views.contains_key(name));
        let gone: Vec<_> = gone.map(|(name, view)| (name.clone(), Arc::clone(view))).collect();
        *self.0.effective.write() = Arc::new(effective);
        for (name, view) in gone {
            view.drop_all();
            applied.dropped.push(name);
        }
        self.sweep();
        if others == Others::Dropped {
            self.forget_unneeded().await;
        }
        info!(
            created = applied.created.len(),
            changed = applied.changed.len(),
            unchanged = applied.unchanged.len(),
            dropped = applied.dropped.len(),
            waiting = applied.waiting.len(),
            "applied views"
        );
        Ok(applied)
    }

    /// Finds or starts everything that the views need. Whatever fails, nothing that is served has changed.
    async fn prepare(
        &self,
        planned: &PlanResult,
        effective: &Effective,
    ) -> Result<Vec<Placement>, ApplyError> {
        let before = self.effective();
        let mut newest: HashMap<RelationName, Arc<Version>> = HashMap::new();
        let mut placements = Vec::with_capacity(planned.views.len());
        for plan in &planned.views {
            let known = before.views.get(&plan.name).cloned();
            let is_new = known.is_none();
            let view = known.unwrap_or_else(|| self.new_view(&plan.name));
            let place = self.place(&view, plan, &newest, effective).await?;
            newest.insert(plan.name.clone(), Arc::clone(place.version()));
            placements.push(Placement { view, plan: Arc::clone(plan), is_new, place });
        }
        Ok(placements)
    }

    /// Lets each view go on with its place.
    fn switch(&self, placements: Vec<Placement>, effective: &mut Effective) -> ApplyResult {
        let mut applied = ApplyResult::default();
        for Placement { view, plan, is_new, place } in placements {
            *view.declared.write() = LatestDeclaration { sql: Arc::clone(&plan.sql), waiting: None };
            let list = match (is_new, &place) {
                (true, _) => &mut applied.created,
                (false, Place::New(_)) => &mut applied.changed,
                (false, _) => &mut applied.unchanged,
            };
            list.push(plan.name.clone());
            match place {
                Place::Building(_) => {}
                Place::Serving(_) => view.keep(),
                Place::New(building) => {
                    let given_up = self.0.environment.tasks.stop().child();
                    view.build(building.clone(), given_up.clone());
                    self.watch(Arc::clone(&view), building, given_up);
                }
            }
            effective.views.insert(plan.name.clone(), view);
        }
        applied
    }

    fn new_view(&self, name: &RelationName) -> Arc<View> {
        let environment = &self.0.environment;
        let changes = ChangeLog::new(name.clone(), self.0.run, environment.options.max_changes);
        View::new(name.clone(), changes, Arc::clone(&environment.clock))
    }

    /// The version that is defined the same, or a new one.
    async fn place(
        &self,
        view: &Arc<View>,
        plan: &Arc<ViewPlan>,
        newest: &HashMap<RelationName, Arc<Version>>,
        effective: &Effective,
    ) -> Result<Place, ApplyError> {
        let depends_on: Vec<_> =
            plan.depends_on.iter().filter_map(|name| newest.get(name).cloned()).collect();
        let is_same = |version: &Version| {
            version.plan.fingerprint == plan.fingerprint
                && version.depends_on.len() == depends_on.len()
                && version.depends_on.iter().zip(&depends_on).all(|(a, b)| Arc::ptr_eq(a, b))
        };
        let (serving, building) = view.versions();
        if let Some(building) = building.filter(|building| is_same(&building.version)) {
            return Ok(Place::Building(building.version));
        }
        if let Some(serving) = serving.filter(|serving| is_same(serving)) {
            return Ok(Place::Serving(serving));
        }
        let mut pipelines = Vec::with_capacity(plan.cuts.len());
        for cut in 0..plan.cuts.len() {
            pipelines.push(self.pipeline(plan, cut, effective).await?);
        }
        let environment = &self.0.environment;
        let version = Version::new(environment, Arc::clone(plan), pipelines, depends_on);
        let building = Building::new(environment, version).await;
        building.map(Place::New).map_err(|error| ApplyError::Unavailable { reason: error.to_string() })
    }

    /// Swaps a version in once it has caught up.
    fn watch(&self, view: Arc<View>, building: Building, given_up: Stop) {
        let engine = self.clone();
        self.0.environment.tasks.spawn_quiet(async move {
            tokio::select! {
                () = given_up.requested() => {}
                () = building.caught_up(engine.0.environment.options.survey) => {
                    view.swap(&building.version);
                    drop(building);
                    // Definitions on their way into effect may need pipelines that nothing in effect does yet.
                    let _applying = engine.0.applying.lock().await;
                    engine.sweep();
                }
            }
        });
    }

    /// The running pipeline of a cut, started if it does not run.
    async fn pipeline(
        &self,
        plan: &Arc<ViewPlan>,
        cut: usize,
        effective: &Effective,
    ) -> Result<Arc<Pipeline>, ApplyError> {
        let id: Arc<str> = plan.pipeline(cut).into();
        if let Some(running) = self.0.pipelines.lock().get(&id) {
            return Ok(Arc::clone(running));
        }
        let retiring = self.0.retiring.lock().get(&id).cloned();
        if let Some(mut retiring) = retiring {
            // Its state is being forgotten; to begin before would be to lose the beginning.
            while retiring.changed().await.is_ok() {}
        }
        let schema = effective.schemas.get(&plan.cuts[cut].topic).cloned();
        let schema = schema.expect("a view is planned over topics with columns");
        let started = Pipeline::start(&self.0.environment, Arc::clone(&id), plan, cut, schema).await;
        let pipeline = started.map_err(|error| ApplyError::Unavailable {
            reason: format!("{} cannot be prepared: {}", plan.name, wording::reason(&error)),
        })?;
        self.0.pipelines.lock().insert(id, Arc::clone(&pipeline));
        Ok(pipeline)
    }

    /// Retires the pipelines that no version needs any more.
    pub(super) fn sweep(&self) {
        let mut needed: HashSet<Arc<str>> = HashSet::new();
        for view in self.effective().views.values() {
            let (serving, building) = view.versions();
            for version in serving.into_iter().chain(building.map(|building| building.version)) {
                needed.extend(version.all_pipelines().iter().map(|pipeline| Arc::clone(pipeline.id())));
            }
        }
        let retired: Vec<_> = {
            let mut running = self.0.pipelines.lock();
            running.extract_if(|id, _| !needed.contains(id)).map(|(_, pipeline)| pipeline).collect()
        };
        for pipeline in retired {
            let (done, retiring) = watch::channel(());
            self.0.retiring.lock().insert(Arc::clone(pipeline.id()), retiring);
            let engine = self.clone();
            self.0.environment.tasks.spawn_quiet(async move {
                pipeline.end().await;
                engine.give_up_state(&pipeline).await;
                engine.0.retiring.lock().remove(pipeline.id());
                drop(done);
            });
        }
    }

    /// Puts the same definitions into effect again if a topic that they wait for shows its columns by now.
    pub(super) async fn apply_again(&self, looked: &mut SchemaSearch) {
        let _applying = self.0.applying.lock().await;
        let effective = self.effective();
        if !looked.for_columns(&self.0.environment, &effective).await {
            return;
        }
        let (definitions, others) = (effective.definitions.clone(), effective.others);
        let applied = match self.plan(definitions).await {
            Ok(planned) => self.put_into_effect(planned, others).await,
            Err(error) => Err(error),
        };
        match applied {
            Ok(_) => {}
            Err(ApplyError::Refused(problems)) => {
                warn!(problems = problems.len(), first = %problems[0].message, "views that waited cannot begin");
                for view in effective.views.values() {
                    view.misfits(&problems);
                }
                looked.give_up(effective);
            }
            Err(error) => {
                warn!(%error, "views that waited cannot begin now");
                looked.forget();
            }
        }
    }
}

/// Sizes of state by pipeline.
pub(super) fn bytes_by_pipeline(tasks: impl Iterator<Item = (TaskId, u64)>) -> BTreeMap<String, u64> {
    let mut bytes = BTreeMap::new();
    for (task, size) in tasks {
        *bytes.entry(task.name().to_owned()).or_default() += size;
    }
    bytes
}
