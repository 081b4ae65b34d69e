//! From options to a running server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use factum_access::PasswordChecks;
use factum_base::clock::{SharedClock, SystemClock};
use factum_base::random::Random;
use factum_base::tasks::{OnError, TaskTree};
use factum_base::telemetry;
use factum_broker::Broker;
use factum_eventlog::{EventLog, Transactions};
use factum_governance::watch::{self, Outcome};
use factum_governance::{Catalogue, Effects};
use factum_http_api::{KafkaAddress, ListenerView};
use factum_kafka_server::Identity;
use factum_registry::Registry;
use factum_sql::Engine;
use factum_state::EmbeddedStore;

use crate::access::{self, AccessStart, authorizer};
use crate::contracts::Contracts;
use crate::decoded_log::DecodedLog;
use crate::health::Health;
use crate::identity::identity;
use crate::machine::Machine;
use crate::names::ViewAndTableNames;
use crate::open_files::share_out;
use crate::registry::{RegistryHealth, RegistryStart};
use crate::running::{Groups, Running};
use crate::{DataDir, Options, StartError, TemporaryFolder, effects, listeners, private_files, state};

impl Running {
    /// Starts a server and answers once it is ready.
    ///
    /// # Errors
    /// [`StartError`]; what was started by then is stopped again.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        // Before anything is made: no other start would do better.
        options.kafka.check().map_err(factum_kafka_server::BindError::Options)?;
        let options = share_out(options);
        let tree = TaskTree::new();
        let groups = Groups::new(&tree);
        match Parts::start(options, &groups).await {
            Ok(parts) => Ok(parts.into_running(tree, groups)),
            Err(error) => {
                groups.stop().await;
                Err(error)
            }
        }
    }
}

/// What a start brings together.
struct Parts {
    http: factum_http_api::Handle,
    kafka: factum_kafka_server::Handle,
    listeners: Vec<ListenerView>,
    access: AccessStart,
    data_dir: PathBuf,
    temporary: Option<TemporaryFolder>,
    catalogue: Catalogue,
    engine: Engine,
    project: watch::Handle,
    outcome: Outcome,
}

impl Parts {
    async fn start(options: Options, groups: &Groups) -> Result<Self, StartError> {
        let metrics = telemetry::install_metrics()
            .map_err(|error| StartError::Metrics { reason: error.to_string() })?;
        let (clock, random): (SharedClock, _) = (Arc::new(SystemClock), Random::system());
        let (data_dir, temporary) = data_dir(&options.data_dir)?;

        let broker = start_broker(&options, &data_dir, &clock, &random, groups).await?;
        let log: Arc<dyn EventLog> = Arc::new(broker.clone());
        // For those who keep records of their own in reserved topics: governance and the engine.
        let internal_log: Arc<dyn EventLog> = Arc::new(broker.internal_log());
        let access = access::start(&options, &data_dir, Arc::clone(&internal_log), &random).await?;
        let (registry, registry_health) = start_registry(&options, &data_dir, &internal_log, groups).await;
        let catalogue = Catalogue::new();
        follow_catalogue(&broker, &catalogue, &registry);
        // SQL reads values that were written with a schema as JSON.
        let decoded: Arc<dyn EventLog> =
            Arc::new(DecodedLog { log: Arc::clone(&log), registry: registry.clone() });
        let (engine, store) =
            start_engine(&options, &data_dir, &decoded, &internal_log, &clock, groups).await?;
        broker.share_names(ViewAndTableNames(engine.clone()));
        let machine = watch_machine(&options, &data_dir, &broker, &clock, groups);
        let health = Health::new(broker.clone(), catalogue.clone(), engine.clone(), store, machine)
            .with_access_damage(access.damage.clone())
            .with_registry(registry_health);
        let transactions: Arc<dyn Transactions> = Arc::new(broker.clone());
        let passwords = PasswordChecks::new(access.store.users().clone(), &random);
        let identity = identity(&data_dir, &random, access.store.users().clone(), passwords.clone())?;
        let (kafka_service, kafka) = bind_kafka(&options, broker, identity, &access, &clock, groups)?;
        let kafka_address = kafka_address(&options, &kafka);
        let effects =
            effects::all(&engine, &log, &registry, start_feeds(&options, &log, &clock, &random, groups));
        let reports = health.clone();
        let (http_service, http) = factum_http_api::Service::bind(
            options.http.clone(),
            factum_http_api::State {
                log: Arc::clone(&log),
                transactions,
                catalogue: catalogue.clone(),
                registry,
                engine: engine.clone(),
                authorizer: authorizer(&options.access, &access, "http", options.http.listen),
                access: access.store.clone(),
                passwords,
                clock,
                kafka: kafka_address,
                random,
                health: Arc::new(move || reports.report()),
                metrics,
            },
            groups.edge.clone(),
        )?;
        let listeners = listeners::shown(&options, &kafka, &http);
        health.follow_listeners(kafka.clone(), http.clone(), listeners.clone());
        let mut project = Project::new(&options, &internal_log, &catalogue, effects);
        // Clients meet what is recorded: contracts, views and names hold from the first request on.
        if !project.resume().await {
            project.begin().await;
        }

        serve(kafka_service, http_service, health, groups);
        // The folder is applied beside them: however long its definitions take, the ports answer.
        let (project, outcome) = project.run(groups).await;
        Ok(Self { http, kafka, listeners, access, data_dir, temporary, catalogue, engine, project, outcome })
    }

    fn into_running(self, tree: TaskTree, groups: Groups) -> Running {
        Running {
            tree,
            groups,
            http: self.http.local_addr,
            is_https: self.http.is_encrypted(),
            kafka: self.kafka.local_addr,
            listeners: self.listeners,
            access: self.access,
            data_dir: self.data_dir,
            temporary: self.temporary,
            catalogue: self.catalogue,
            engine: self.engine,
            project: self.project,
            outcome: self.outcome,
        }
    }
}

/// Lets clients in.
fn serve(
    kafka: factum_kafka_server::Service,
    http: factum_http_api::Service,
    health: Health,
    groups: &Groups,
) {
    let edge = &groups.edge;
    let stop = edge.stop();
    edge.spawn("kafka", OnError::StopServer, async move {
        health.kafka_accepts(true);
        kafka.run(stop).await;
        health.kafka_accepts(false);
        Ok(())
    });
    let stop = edge.stop();
    edge.spawn("http", OnError::StopServer, async move {
        http.run(stop).await;
        Ok(())
    });
}

/// Has the broker ask what is applied: whether there is a project, what its contracts are, and what it declares of topics.
fn follow_catalogue(broker: &Broker, catalogue: &Catalogue, registry: &Registry) {
    let (applied, declared) = (catalogue.clone(), catalogue.clone());
    broker.follow_project(move || applied.has_project());
    broker.validate_records(Contracts::new(catalogue.clone(), registry.clone()));
    broker.follow_declared_settings(move |topic| {
        declared.event(topic).map(|event| event.settings.config()).unwrap_or_default()
    });
}

/// The Kafka listeners, which accept no one yet.
fn bind_kafka(
    options: &Options,
    broker: Broker,
    identity: Identity,
    access: &AccessStart,
    clock: &SharedClock,
    groups: &Groups,
) -> Result<(factum_kafka_server::Service, factum_kafka_server::Handle), StartError> {
    let bound = factum_kafka_server::Service::bind(
        options.kafka.clone(),
        broker,
        |address| authorizer(&options.access, access, "kafka", address),
        identity,
        access.store.clone(),
        Arc::clone(clock),
        groups.edge.clone(),
    )?;
    Ok(bound)
}

/// Where Kafka clients connect: as advertised, else where the listener is.
fn kafka_address(options: &Options, kafka: &factum_kafka_server::Handle) -> KafkaAddress {
    let local = kafka.local_addr;
    match &options.kafka.advertised {
        Some(endpoint) => KafkaAddress { host: Some(endpoint.host.clone()), port: endpoint.port },
        None if local.ip().is_unspecified() => KafkaAddress { host: None, port: local.port() },
        None => KafkaAddress { host: Some(local.ip().to_string()), port: local.port() },
    }
}

fn data_dir(wish: &DataDir) -> Result<(PathBuf, Option<TemporaryFolder>), StartError> {
    match wish {
        DataDir::Kept(path) => Ok((path.clone(), None)),
        DataDir::Temporary => {
            let temporary = TemporaryFolder::create().map_err(StartError::Temporary)?;
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
    }
}

async fn start_broker(
    options: &Options,
    data_dir: &Path,
    clock: &SharedClock,
    random: &Random,
    groups: &Groups,
) -> Result<Broker, StartError> {
    let settings = factum_broker::Options { data_dir: data_dir.to_owned(), ..options.log.clone() };
    let (clock, random, private) = (Arc::clone(clock), random.clone(), data_dir.to_owned());
    let open = move || {
        let opened = factum_broker::Service::open_local(settings, clock, random);
        private_files::tighten(&private);
        opened
    };
    let (service, broker) =
        tokio::task::spawn_blocking(open).await.expect("opening the log does not panic")?;
    let (tasks, stop) = (groups.broker.clone(), groups.broker.stop());
    groups.broker.spawn("log", OnError::StopServer, service.run(stop, tasks));
    Ok(broker)
}

/// Looks after the machine from now on.
fn watch_machine(
    options: &Options,
    data_dir: &Path,
    broker: &Broker,
    clock: &SharedClock,
    groups: &Groups,
) -> Machine {
    let machine = Machine::new(data_dir.to_owned(), options.disk.clone(), options.log.segment_bytes);
    let watching = &groups.broker;
    watching.spawn_quiet(machine.clone().watch(broker.clone(), Arc::clone(clock), watching.stop()));
    machine
}

/// The registry, which reads what is on the log.
async fn start_registry(
    options: &Options,
    data_dir: &Path,
    internal_log: &Arc<dyn EventLog>,
    groups: &Groups,
) -> (Registry, RegistryHealth) {
    let accepts_damage = options.registry.accept_damage;
    let start = RegistryStart::new(Arc::clone(internal_log), data_dir, accepts_damage).await;
    if let Some(rest) = start.rest(groups.domain.stop()) {
        groups.domain.spawn_quiet(rest);
    }
    (start.registry, start.health)
}

/// The engine over its state; no view runs yet.
async fn start_engine(
    options: &Options,
    data_dir: &Path,
    log: &Arc<dyn EventLog>,
    internal_log: &Arc<dyn EventLog>,
    clock: &SharedClock,
    groups: &Groups,
) -> Result<(Engine, EmbeddedStore), StartError> {
    let store = state::start(options.state.clone(), data_dir, clock, &groups.state).await?;
    let (log, internal_log, clock) = (Arc::clone(log), Arc::clone(internal_log), Arc::clone(clock));
    let (state, tasks) = (Arc::new(store.clone()), groups.domain.clone());
    Ok((Engine::open(options.sql.clone(), log, internal_log, state, clock, tasks), store))
}

/// The generators, where they are to run; none of them is told to yet.
fn start_feeds(
    options: &Options,
    log: &Arc<dyn EventLog>,
    clock: &SharedClock,
    random: &Random,
    groups: &Groups,
) -> Option<factum_feeds::Handle> {
    if !options.feeds.generate {
        return None;
    }
    let (log, clock, domain) = (Arc::clone(log), Arc::clone(clock), groups.domain.clone());
    let (service, handle) =
        factum_feeds::Service::new(&options.feeds, log, clock, random.clone(), domain.clone());
    domain.spawn("feeds", OnError::Log, service.run(domain.stop()));
    Some(handle)
}

/// The project while the server starts. Nothing that is wrong with its folder or with what was recorded of it keeps the
/// server from starting: it is said, and tried again.
struct Project {
    service: watch::Service,
    handle: watch::Handle,
    /// What came of its folder, once that was tried.
    outcome: Option<Outcome>,
}

impl Project {
    fn new(options: &Options, log: &Arc<dyn EventLog>, catalogue: &Catalogue, effects: Effects) -> Self {
        let (service, handle) = watch::Service::new(
            options.project.clone(),
            Arc::clone(log),
            catalogue.clone(),
            Arc::new(effects),
            options.watch.clone(),
        );
        Self { service, handle, outcome: None }
    }

    /// Puts what was recorded into effect; whether there is a record, and it is.
    async fn resume(&mut self) -> bool {
        self.service.resume().await
    }

    /// Tries the folder.
    async fn begin(&mut self) {
        self.outcome = Some(self.service.begin().await);
    }

    /// Tries the folder, if that was not done yet, and goes on watching it.
    async fn run(mut self, groups: &Groups) -> (watch::Handle, Outcome) {
        let outcome = match self.outcome.take() {
            Some(outcome) => outcome,
            None => self.service.begin().await,
        };
        groups.domain.spawn("project", OnError::Log, self.service.run(groups.domain.stop()));
        (self.handle, outcome)
    }
}
