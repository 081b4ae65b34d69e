//! The parts of the server that the HTTP API stands on.

use std::sync::Arc;

use factum_access::{AccessStore, PasswordChecks};
use factum_api::health::{ListenerView, RoleHealth};
use factum_api::overview::KafkaAddress;
use factum_base::clock::SharedClock;
use factum_base::random::Random;
use factum_base::tasks::Stop;
use factum_base::telemetry::Metrics;
use factum_eventlog::{EventLog, Transactions};
use factum_governance::Catalogue;
use factum_registry::Registry;
use factum_sql::Engine;
use factum_types::Authorizer;

/// What the HTTP API stands on; the composition root gives it.
#[derive(Clone)]
pub struct State {
    /// Where events go and come from.
    pub log: Arc<dyn EventLog>,
    /// The transactions of producers.
    pub transactions: Arc<dyn Transactions>,
    /// Who owns which event, and what it is like.
    pub catalogue: Catalogue,
    /// Schemas of events.
    pub registry: Registry,
    /// What keeps and reads views.
    pub engine: Engine,
    /// Decides who may do what.
    pub authorizer: Arc<dyn Authorizer>,
    /// The users and rules; says whether requests may log in.
    pub access: AccessStore,
    /// Checks the passwords of those who log in.
    pub passwords: PasswordChecks,
    /// The time.
    pub clock: SharedClock,
    /// Where Kafka clients connect, for commands to copy.
    pub kafka: KafkaAddress,
    /// Where ids of events that came without one are drawn.
    pub random: Random,
    /// Asked by `/health/ready`; must answer at once.
    pub health: Arc<dyn Fn() -> HealthReport + Send + Sync>,
    /// What `/metrics` shows.
    pub metrics: Metrics,
}

/// What each role says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthReport {
    /// Every role of this process.
    pub roles: Vec<RoleHealth>,
    /// Every listener, once they serve.
    pub listeners: Vec<ListenerView>,
}

impl HealthReport {
    /// Whether every role serves, and will go on to: not if a stop is requested.
    pub(crate) fn is_ready(&self, stop: &Stop) -> bool {
        !stop.is_requested() && self.roles.iter().all(|role| role.ready)
    }
}
