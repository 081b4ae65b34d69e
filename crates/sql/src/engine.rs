//! The engine: views declared, kept true, read and followed.
//!
//! ```text
//!   apply ─► plan ─► View ─┬─ serving:  Version ─► Pipeline per cut ─► Task per partition
//!                          └─ building: Version, until it has caught up and takes the place
//!   read, query, changes ─► the version that is served
//! ```
//!
//! Invariants:
//! - Definitions are put into effect whole or not at all.
//! - A cut that is defined as before goes on from its state; any other starts from nothing beside it.
//! - State that no version needs is forgotten, after the last reader has looked at it; what the log could not give
//!   again is kept for a while, and a definition that would do without it is refused unless that is accepted.

mod apply;
mod history;
mod kept_state;
mod options;
mod query;
mod query_pool;
mod readers;
mod schemas;
mod show;
mod status;
mod survey;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use factum_base::clock::SharedClock;
use factum_base::random::Random;
use factum_base::tasks::TaskGroup;
use factum_eventlog::EventLog;
use factum_state::StateStore;
use factum_types::TopicName;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};

use crate::changes::{self, ChangeId, ChangeStream};
use crate::closings::{ClosingRegistry, ClosingTopic};
use crate::decode::spelling::SpellingLog;
use crate::definitions::{Definitions, RelationKind, RelationName};
use crate::error::{ApplyError, ReadError};
use crate::metrics;
use crate::pipeline::Pipeline;
use crate::plan::PlanResult;
use crate::schema::EventSchema;
use crate::task::Environment;
use crate::view_threads::ViewThreads;
pub use apply::{ApplyResult, PlannedDefinitions};
use kept_state::KeptState;
pub use options::Options;
pub use query::{Query, QueryLimits};
use query_pool::QueryPool;
pub use readers::TopicReader;
use schemas::Schemas;
pub use status::{PartitionStatus, ViewState, ViewStatus};
use view::View;

/// Definitions that are planned at once, and that may wait for it.
const PLANNINGS: usize = 2;
const WAITING_PLANNINGS: usize = 32;
/// How long definitions wait for their turn to be planned.
const PLANNING_WAIT: Duration = Duration::from_secs(60);

/// A handle on the engine. Its work goes on until the task group stops, whether or not a handle is left.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    environment: Arc<Environment>,
    /// Held while definitions are put into effect.
    applying: tokio::sync::Mutex<()>,
    effective: RwLock<Arc<Effective>>,
    pipelines: Mutex<HashMap<Arc<str>, Arc<Pipeline>>>,
    /// Pipelines whose state is being forgotten; the sender is gone once it is.
    retiring: Mutex<HashMap<Arc<str>, watch::Receiver<()>>>,
    kept_state: KeptState,
    /// Where ad-hoc queries are computed.
    queries: QueryPool,
    /// Where rows of single views are selected: cheap by comparison, so that they do not wait for the others.
    selections: QueryPool,
    /// Where definitions are planned: it takes a large stack, and longer than an async worker may be held.
    plannings: QueryPool,
    /// Tells the change ids of this run from those of others.
    run: u64,
}

/// What is in effect.
#[derive(Default)]
struct Effective {
    definitions: Definitions,
    planned: Arc<PlanResult>,
    schemas: BTreeMap<TopicName, EventSchema>,
    views: BTreeMap<RelationName, Arc<View>>,
    /// Topics whose columns are not known yet, and what would show them.
    awaited: BTreeMap<TopicName, String>,
    /// What became of views that `definitions` do not name.
    others: Others,
}

/// What becomes of views, and of state on disk, that no definition names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Others {
    /// They go: the definitions are all that there are.
    #[default]
    Dropped,
    /// They stay: there may be more definitions.
    Kept,
}

impl Engine {
    /// An engine without views. Its tasks run in `tasks`, which must stop before the log and the state do.
    /// `internal_log` is the same log, by a handle that may write reserved topics: what windows are closed is kept in
    /// `_factum.closings`.
    pub fn open(
        options: Options,
        log: Arc<dyn EventLog>,
        internal_log: Arc<dyn EventLog>,
        state: Arc<dyn StateStore>,
        clock: SharedClock,
        tasks: TaskGroup,
    ) -> Self {
        metrics::describe();
        let pool = |settings: &str| {
            QueryPool::new(tasks.clone(), options.queries, options.waiting_queries, settings)
        };
        let plannings = QueryPool::new(tasks.clone(), PLANNINGS, WAITING_PLANNINGS, "of definitions");
        let queries = pool("sql.queries, sql.waiting_queries");
        let selections = pool("sql.queries and sql.waiting_queries, for filters and orders of views");
        let random = Random::system();
        let closings = ClosingRegistry::new(ClosingTopic::new(internal_log, &random));
        let spellings = SpellingLog::default();
        let threads = ViewThreads::new(tasks.clone(), options.view_threads);
        let environment =
            Arc::new(Environment { options, log, state, closings, spellings, clock, tasks, threads });
        let engine = Self(Arc::new(Inner {
            environment: Arc::clone(&environment),
            applying: tokio::sync::Mutex::default(),
            effective: RwLock::default(),
            pipelines: Mutex::default(),
            retiring: Mutex::default(),
            kept_state: KeptState::new(Arc::clone(&environment.state)),
            queries,
            selections,
            plannings,
            run: random.uuid().as_u64_pair().0,
        }));
        environment.tasks.spawn_quiet(survey::run(engine.clone()));
        engine
    }

    /// Checks definitions without putting them into effect. A view that would be rebuilt from less than it was
    /// made from is a problem, unless a line above its statement accepts that.
    ///
    /// # Errors
    /// [`ApplyError`], with every problem found.
    pub async fn check(&self, definitions: &Definitions) -> Result<PlannedDefinitions, ApplyError> {
        let planned = self.plan(definitions.clone()).await?;
        self.guard_history(definitions, &planned.planned).await?;
        Ok(planned)
    }

    /// Puts definitions into effect in place of those before; answers once every view that can run does.
    ///
    /// # Errors
    /// [`ApplyError`]; what was in effect stays so.
    pub async fn apply(&self, definitions: Definitions) -> Result<ApplyResult, ApplyError> {
        let _applying = self.0.applying.lock().await;
        self.put_into_effect(self.plan(definitions).await?, Others::Dropped).await
    }

    /// The same for definitions that were just checked, without planning them again. A topic whose first event has come
    /// since is looked at soon after.
    ///
    /// # Errors
    /// [`ApplyError`]; what was in effect stays so.
    pub async fn apply_planned(&self, planned: PlannedDefinitions) -> Result<ApplyResult, ApplyError> {
        let _applying = self.0.applying.lock().await;
        self.put_into_effect(planned, Others::Dropped).await
    }

    /// The same where there may be definitions that are not among these (the record of them has a hole, or this version
    /// refuses them): a view that is not named goes on as it is, and no state of an earlier run is forgotten.
    ///
    /// # Errors
    /// [`ApplyError`]; what was in effect stays so.
    pub async fn apply_keeping_others(&self, definitions: Definitions) -> Result<ApplyResult, ApplyError> {
        let _applying = self.0.applying.lock().await;
        self.put_into_effect(self.plan(definitions).await?, Others::Kept).await
    }

    /// What is in effect under this name, if something is that is no topic.
    pub fn relation(&self, name: &RelationName) -> Option<RelationKind> {
        let effective = self.effective();
        if effective.definitions.tables.iter().any(|table| table.name == *name) {
            return Some(RelationKind::Table);
        }
        let is_view = effective.views.contains_key(name)
            || effective.planned.declared.iter().any(|declared| declared.name == *name);
        is_view.then_some(RelationKind::View)
    }

    /// The names of everything in effect that is no topic.
    pub fn relations(&self) -> BTreeMap<RelationName, RelationKind> {
        let effective = self.effective();
        let tables = effective.definitions.tables.iter().map(|table| (&table.name, RelationKind::Table));
        let declared = effective.planned.declared.iter().map(|declared| &declared.name);
        let views = effective.views.keys().chain(declared).map(|name| (name, RelationKind::View));
        views.chain(tables).map(|(name, kind)| (name.clone(), kind)).collect()
    }

    /// Every view, by name.
    pub fn views(&self) -> Vec<ViewStatus> {
        self.effective().views.values().map(|view| view.status()).collect()
    }

    /// One view.
    ///
    /// # Errors
    /// [`ReadError::UnknownView`].
    pub fn view(&self, name: &RelationName) -> Result<ViewStatus, ReadError> {
        self.find(name).map(|view| view.status())
    }

    /// Follows a view: a snapshot and then every change, or, where `resume` is still known, every change
    /// behind it.
    ///
    /// # Errors
    /// [`ReadError::UnknownView`].
    pub fn changes(&self, name: &RelationName, resume: Option<ChangeId>) -> Result<ChangeStream, ReadError> {
        let view = self.find(name)?;
        let log = Arc::clone(&view.changes);
        Ok(changes::follow(view, &log, &self.0.environment, resume))
    }

    fn effective(&self) -> Arc<Effective> {
        Arc::clone(&self.0.effective.read())
    }
}

impl Effective {
    /// Whether it is what `definitions` are planned to over topics of these columns.
    fn is_of(&self, definitions: &Definitions, schemas: &Schemas) -> bool {
        self.definitions == *definitions && self.schemas == schemas.known && self.awaited == schemas.awaited
    }

    /// What a view over a topic waits for before it can be planned.
    fn waits_for(&self, topic: &TopicName) -> String {
        self.awaited.get(topic).map_or_else(|| format!("the first event of {topic}"), Clone::clone)
    }
}

/// Runs what computes for long where it holds up no other work. It ends, where it next pauses, if no one waits for it any
/// more.
async fn blocking<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = tokio::runtime::Handle::current();
    let (_caller, gone) = oneshot::channel::<Infallible>();
    let work = async move {
        tokio::select! {
            biased;
            _ = gone => None,
            done = work => Some(done),
        }
    };
    match tokio::task::spawn_blocking(move || runtime.block_on(work)).await {
        Ok(done) => done.expect("the caller waits"),
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_ends_when_nobody_waits_for_it() {
        let (held, ended) = oneshot::channel::<Infallible>();
        let (begun, begins) = oneshot::channel();
        let work = blocking(async move {
            let _held = held;
            begun.send(()).expect("the test listens");
            std::future::pending::<()>().await;
        });
        tokio::select! {
            () = work => panic!("it never ends by itself"),
            begun = begins => begun.expect("it begins"),
        }
        let patience = Duration::from_secs(20);
        let ended = tokio::time::timeout(patience, ended).await.expect("ended in time");
        ended.expect_err("it is dropped");
    }
}
