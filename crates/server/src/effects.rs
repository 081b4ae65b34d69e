//! The effects of a project's definitions: contracts, SQL, feeds and dashboards, wired to governance.

mod dashboards;
mod feeds;
pub(crate) mod schemas;
mod sql;

use std::sync::Arc;

use factum_eventlog::EventLog;
use factum_governance::Effects;
use factum_registry::Registry;
use factum_sql::Engine;

/// Every effect of a server. Without `feeds` no generator runs; feeds are checked all the same.
pub(crate) fn all(
    engine: &Engine,
    log: &Arc<dyn EventLog>,
    registry: &Registry,
    feeds: Option<factum_feeds::Handle>,
) -> Effects {
    Effects::new(vec![
        Arc::new(schemas::SchemaEffect::new(registry.clone())),
        Arc::new(sql::SqlEffect::new(engine.clone(), Arc::clone(log))),
        Arc::new(feeds::FeedEffect(feeds)),
        Arc::new(dashboards::DashboardEffect(engine.clone())),
    ])
}
