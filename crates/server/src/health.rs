//! What `/health/ready` is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use factum_broker::Broker;
use factum_governance::Catalogue;
use factum_http_api::{HealthReport, RoleHealth};

/// Says how each role is; asked on every request for readiness.
#[derive(Clone)]
pub(crate) struct Health {
    broker: Broker,
    catalogue: Catalogue,
    kafka_accepts: Arc<AtomicBool>,
}

impl Health {
    pub(crate) fn new(broker: Broker, catalogue: Catalogue) -> Self {
        Self { broker, catalogue, kafka_accepts: Arc::default() }
    }

    /// The Kafka port is accepting from now on, or no longer.
    pub(crate) fn kafka_accepts(&self, accepts: bool) {
        self.kafka_accepts.store(accepts, Ordering::Relaxed);
    }

    pub(crate) fn report(&self) -> HealthReport {
        let log = self.broker.health();
        let role = |role: &str, ready, problems| RoleHealth { role: role.to_owned(), ready, problems };
        HealthReport {
            roles: vec![
                role("log", log.writable, log.problems),
                role("kafka", self.kafka_accepts.load(Ordering::Relaxed), Vec::new()),
                // A broken manifest leaves the last good project in force: said, but still serving.
                role("project", true, self.catalogue.problems().iter().map(ToString::to_string).collect()),
            ],
        }
    }
}
