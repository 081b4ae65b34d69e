//! The parts of one HTTP listener that its handlers share.

use std::sync::Arc;
use std::time::Duration;

use factum_base::clients::{ClientAddress, LogLimit};
use factum_base::tasks::{Stop, TaskGroup};
use factum_eventlog::EventLog;
use tracing::warn;

use crate::Options;
use crate::http::body::Bodies;
use crate::http::change_text::Renderer;
use crate::http::fair_work::FairWork;
use crate::http::host_check::HostCheck;
use crate::http::lag_history::LagHistory;
use crate::http::login::Logins;
use crate::http::partition_ends::PartitionEnds;
use crate::http::responses::Responses;
use crate::http::sampler::Sampler;
use crate::http::streams::Streams;
use crate::state::State;

/// How long a refused log-in takes beside its check, as over Kafka.
const REFUSAL_DELAY: Duration = Duration::from_millis(100);
/// Schemas that are read and compared at one time.
const SCHEMAS_AT_ONCE: usize = 2;

/// What one listener has, and the server's state that it stands on.
pub(crate) struct Api {
    pub(crate) state: State,
    pub(crate) options: Options,
    pub(crate) bodies: Bodies,
    pub(crate) host_check: Arc<HostCheck>,
    pub(crate) logins: Logins,
    pub(crate) stop: Stop,
    pub(crate) sampler: Sampler,
    pub(crate) lag_history: Arc<LagHistory>,
    pub(crate) streams: Streams,
    pub(crate) renderer: Renderer,
    pub(crate) responses: Arc<Responses>,
    pub(crate) partition_ends: PartitionEnds,
    /// Reads and compares schemas, which may take a processor for a while.
    pub(crate) schema_work: FairWork,
    log_limit: LogLimit,
}

impl Api {
    pub(crate) fn new(options: Options, state: State, tasks: &TaskGroup) -> Arc<Self> {
        let responses = Arc::new(Responses::new(&options));
        Arc::new(Self {
            bodies: Bodies::new(&options),
            host_check: Arc::new(HostCheck::new(&options)),
            logins: Logins::new(state.access.is_enforced(), state.passwords.clone(), options.tls.is_some()),
            stop: tasks.stop(),
            sampler: Sampler::new(state.clone(), tasks.stop()),
            lag_history: Arc::default(),
            streams: Streams::new(&options),
            renderer: Renderer::new(&options, tasks.clone(), responses.pieces().for_all()),
            responses,
            partition_ends: PartitionEnds::default(),
            schema_work: FairWork::at_most(SCHEMAS_AT_ONCE),
            log_limit: LogLimit::default(),
            state,
            options,
        })
    }

    /// Whether the log may write of what `client` does: then how many lines were left out, else `None`.
    pub(crate) fn may_log(&self, client: ClientAddress) -> Option<u64> {
        self.log_limit.admit(client, self.state.clock.monotonic())
    }

    /// Has a refused log-in take a while, and writes it to the log: with the name where there is such a user, because people
    /// write passwords in its place.
    pub(crate) async fn refuse_login(&self, name: Option<String>, client: ClientAddress) {
        if let Some(left_out) = self.may_log(client) {
            let users = self.state.access.users();
            let user = name.filter(|name| users.get(name).is_some());
            warn!(%client, user, left_out, "refused a login over HTTP");
        }
        tokio::time::sleep(REFUSAL_DELAY).await;
    }

    pub(crate) fn log(&self) -> &dyn EventLog {
        self.state.log.as_ref()
    }
}
