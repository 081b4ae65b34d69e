//! Readiness, as `/health/ready` shows it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use factum_broker::Broker;
use factum_governance::Catalogue;
use factum_http_api::{HealthReport, ListenerView, RoleHealth};
use factum_sql::{Engine, ViewState};
use factum_state::EmbeddedStore;

use crate::machine::Machine;
use crate::names::shared_names;
use crate::registry::RegistryHealth;

/// Says how each role is; asked on every request for readiness.
#[derive(Clone)]
pub(crate) struct Health {
    broker: Broker,
    catalogue: Catalogue,
    engine: Engine,
    state: EmbeddedStore,
    machine: Machine,
    kafka_accepts: Arc<AtomicBool>,
    listeners: Arc<OnceLock<Listeners>>,
    /// What is lost of users and rules.
    access_damage: Option<Arc<str>>,
    registry: RegistryHealth,
}

/// What serves clients, asked for what is wrong with it.
struct Listeners {
    kafka: factum_kafka_server::Handle,
    http: factum_http_api::Handle,
    shown: Vec<ListenerView>,
}

impl Health {
    pub(crate) fn new(
        broker: Broker,
        catalogue: Catalogue,
        engine: Engine,
        state: EmbeddedStore,
        machine: Machine,
    ) -> Self {
        Self {
            broker,
            catalogue,
            engine,
            state,
            machine,
            kafka_accepts: Arc::default(),
            listeners: Arc::default(),
            access_damage: None,
            registry: RegistryHealth::default(),
        }
    }

    /// The same of a server that has lost something of users and rules.
    pub(crate) fn with_access_damage(self, access_damage: Option<Arc<str>>) -> Self {
        Self { access_damage, ..self }
    }

    /// The same with how far the registry is read.
    pub(crate) fn with_registry(self, registry: RegistryHealth) -> Self {
        Self { registry, ..self }
    }

    /// These serve clients from now on.
    pub(crate) fn follow_listeners(
        &self,
        kafka: factum_kafka_server::Handle,
        http: factum_http_api::Handle,
        shown: Vec<ListenerView>,
    ) {
        // A server has listeners once.
        let _known = self.listeners.set(Listeners { kafka, http, shown });
    }

    /// The Kafka port is accepting from now on, or no longer.
    pub(crate) fn kafka_accepts(&self, accepts: bool) {
        self.kafka_accepts.store(accepts, Ordering::Relaxed);
    }

    pub(crate) fn report(&self) -> HealthReport {
        let log = self.broker.health();
        let role = |role: &str, ready, problems| RoleHealth { role: role.to_owned(), ready, problems };
        let listeners = self.listeners.get();
        let kafka_problems = listeners.map(|listeners| listeners.kafka.problems()).unwrap_or_default();
        let mut report = HealthReport {
            roles: vec![
                role("log", log.writable, log.problems),
                role("kafka", self.kafka_accepts.load(Ordering::Relaxed), kafka_problems),
                // Reading, and making room, must still be possible.
                role("machine", true, self.machine.problems()),
                // A broken manifest leaves what it defines as it was: said, but still serving.
                role("project", true, self.project_problems()),
                // A view that is stuck is read as it was; the others go on.
                role("views", true, self.stuck_views()),
                // Views are read as they were.
                role("state", true, self.state.problems()),
                role("registry", self.registry.is_ready(), self.registry.problems()),
            ],
            listeners: listeners.map(|listeners| listeners.shown.clone()).unwrap_or_default(),
        };
        // The client that reads this is served by it: it is a role where it has a certificate to look after.
        if let Some(http) = listeners.map(|listeners| &listeners.http).filter(|http| http.is_encrypted()) {
            report.roles.push(role("http", true, http.problems()));
        }
        if let Some(damage) = &self.access_damage {
            report.roles.push(role("access", false, vec![damage.to_string()]));
        }
        report
    }

    fn project_problems(&self) -> Vec<String> {
        let project = self.catalogue.project();
        let mut problems: Vec<_> = project.problems.iter().map(ToString::to_string).collect();
        if project.folder.is_none() {
            // With a folder, they are problems at their places in its files.
            problems.extend(shared_names(&self.broker, &self.engine));
        }
        problems
    }

    fn stuck_views(&self) -> Vec<String> {
        let views = self.engine.views().into_iter();
        let problems = views.flat_map(|view| {
            let stuck = match view.state {
                ViewState::Failed(reason) => Some(format!("{} is stuck: {reason}", view.name)),
                ViewState::Building { .. } | ViewState::Live | ViewState::Waiting(_) => None,
            };
            let letters = view.letters_problem.map(|problem| {
                format!("{}: {} dead letters wait: {problem}", view.name, view.letters_waiting)
            });
            let rejected = view.rejected_problem.map(|problem| format!("{}: {problem}", view.name));
            stuck.into_iter().chain(letters).chain(rejected)
        });
        problems.collect()
    }
}
