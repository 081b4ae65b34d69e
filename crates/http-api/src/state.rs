//! What the handlers share.

use std::sync::Arc;

use factum_api::overview::KafkaAddress;
use factum_base::clients::{ClientAddress, LogLimit};
use factum_base::clock::SharedClock;
use factum_base::random::Random;
use factum_base::tasks::{Stop, TaskGroup};
use factum_base::telemetry::Metrics;
use factum_eventlog::EventLog;
use factum_governance::Catalogue;
use factum_sql::Engine;
use factum_types::Authorizer;

use crate::answers::Answers;
use crate::body::Bodies;
use crate::names::Names;
use crate::overview::Sampler;
use crate::streams::Streams;
use crate::views::Renderer;
use crate::{HealthReport, Options};

/// What the HTTP face stands on; whoever wires the server gives it.
#[derive(Clone)]
pub struct State {
    /// Where events go and come from.
    pub log: Arc<dyn EventLog>,
    /// Who owns which event, and what it is like.
    pub catalogue: Catalogue,
    /// What keeps and reads views.
    pub engine: Engine,
    /// Decides who may do what.
    pub authorizer: Arc<dyn Authorizer>,
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

/// The same with what belongs to one listener.
pub(crate) struct Api {
    pub(crate) state: State,
    pub(crate) options: Options,
    pub(crate) bodies: Bodies,
    pub(crate) names: Names,
    pub(crate) stop: Stop,
    pub(crate) sampler: Sampler,
    pub(crate) streams: Streams,
    pub(crate) renderer: Renderer,
    pub(crate) answers: Answers,
    log_limit: LogLimit,
}

impl Api {
    pub(crate) fn new(options: Options, state: State, tasks: &TaskGroup) -> Arc<Self> {
        let (bodies, names) = (Bodies::new(&options), Names::new(&options));
        let sampler = Sampler::new(&state.clock);
        let streams = Streams::new(&options);
        let answers = Answers::new(&options);
        let renderer = Renderer::new(&options, tasks.clone(), answers.pieces().clone());
        let stop = tasks.stop();
        Arc::new(Self {
            state,
            options,
            bodies,
            names,
            stop,
            sampler,
            streams,
            renderer,
            answers,
            log_limit: LogLimit::default(),
        })
    }

    /// Whether the log may write of what `client` does: then how many lines were left out, else `None`.
    pub(crate) fn may_log(&self, client: ClientAddress) -> Option<u64> {
        self.log_limit.admit(client, self.state.clock.monotonic())
    }

    pub(crate) fn log(&self) -> &dyn EventLog {
        self.state.log.as_ref()
    }
}
