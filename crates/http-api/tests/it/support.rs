//! A server on a free port over a temporary directory, and a client for it.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use factum_access::{AccessStore, AclAuthorizer, PasswordChecks};
use factum_base::random::Random;
use factum_base::tasks::{OnError, TaskGroup, TaskTree};
use factum_base::telemetry;
use factum_broker::{AutoCreateTopics, Broker};
use factum_eventlog::{Admin, NewTopic, TopicConfig};
use factum_governance::{Catalogue, Definitions, EventDefinition, Format, TopicSettings, Visibility};
use factum_http_api::{HealthReport, KafkaAddress, Options, RoleHealth, Service, State};
use factum_log::{Environment, EnvironmentOptions, LocalDisk};
use factum_registry::Registry;
use factum_sql::Engine;
use factum_state::EmbeddedStore;
use factum_testkit::HeldClock;
use factum_types::auth::AllowAll;
use factum_types::{Authorizer, Timestamp, TopicName};
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// Every test begins at this instant: 2026-11-20T10:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_168_800_000);

/// Far beyond what a wait takes; a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) broker: Broker,
    pub(crate) clock: HeldClock,
    pub(crate) catalogue: Catalogue,
    pub(crate) access: AccessStore,
    pub(crate) engine: Engine,
    pub(crate) http: TaskGroup,
    /// The engine's, and its state's, which stops behind it.
    sql: [TaskGroup; 2],
    client: reqwest::Client,
    pub(crate) log: TaskGroup,
    _dir: TempDir,
}

/// What is not as usual.
pub(crate) struct Setup {
    pub(crate) options: Options,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) auto_create_topics: AutoCreateTopics,
    pub(crate) health: fn() -> HealthReport,
    /// Whether users and rules decide, and not `authorizer`; then, whether what no rule is about is open.
    pub(crate) rules: Option<UnruledAccess>,
    pub(crate) sql: factum_sql::Options,
}

/// What no rule is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnruledAccess {
    Open,
    Closed,
}

impl Default for Setup {
    fn default() -> Self {
        let options = Options { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Options::default() };
        let sql = factum_sql::Options::default();
        Self {
            options,
            authorizer: Arc::new(AllowAll),
            auto_create_topics: AutoCreateTopics::Always,
            health: all_well,
            rules: None,
            sql,
        }
    }
}

fn all_well() -> HealthReport {
    let roles = vec![RoleHealth { role: "log".to_owned(), ready: true, problems: vec![] }];
    HealthReport { roles, ..HealthReport::default() }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub(crate) async fn start_with(setup: Setup) -> Self {
        factum_testkit::install_cryptography();
        let dir = tempfile::tempdir().expect("a temporary directory");
        let tree = TaskTree::new();
        let (log, http) = (tree.child("log"), tree.child("http"));
        let sql = [tree.child("engine"), tree.child("state")];
        let clock = HeldClock::at(NOW);
        let random = Random::seeded(7);
        let options = factum_broker::Options {
            data_dir: dir.path().to_owned(),
            auto_create_topics: setup.auto_create_topics,
            default_partitions: 2,
            ..factum_broker::Options::default()
        };
        let opened = factum_broker::Service::open_local(options, Arc::new(clock.clone()), random.clone());
        let (service, broker) = opened.expect("the log opens");
        let running = service.run(log.stop(), log.clone());
        log.spawn("broker", OnError::StopServer, running);
        let catalogue = Catalogue::new();
        let engine = engine(setup.sql, dir.path(), &broker, &clock, &sql);
        let access = AccessStore::new(Arc::new(broker.internal_log()), setup.rules.is_some());
        let authorizer = match setup.rules {
            Some(unruled) => {
                let admin = ["User:admin".to_owned()];
                Arc::new(AclAuthorizer::new(access.acls().clone(), admin, unruled == UnruledAccess::Open))
            }
            None => setup.authorizer,
        };
        let state = State {
            log: Arc::new(broker.clone()),
            transactions: Arc::new(broker.clone()),
            catalogue: catalogue.clone(),
            engine: engine.clone(),
            authorizer,
            registry: Registry::new(Arc::new(broker.internal_log())),
            passwords: PasswordChecks::new(access.users().clone(), &random),
            access: access.clone(),
            clock: Arc::new(clock.clone()),
            kafka: KafkaAddress { host: None, port: 9092 },
            random,
            health: Arc::new(setup.health),
            metrics: telemetry::install_metrics().expect("measures"),
        };
        let (service, handle) = Service::bind(setup.options, state, http.clone()).expect("a free port");
        let stop = http.stop();
        http.spawn_quiet(async move { service.run(stop).await });
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self {
            address: handle.local_addr,
            broker,
            clock,
            catalogue,
            access,
            engine,
            http,
            sql,
            client,
            log,
            _dir: dir,
        }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let method = method.parse().expect("a method");
        let mut request = self.client.request(method, format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body.into()).send().await.expect("an answer");
        let status = response.status().as_u16();
        let header = |name| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (media_type, retry_after, location) =
            (header("content-type"), header("retry-after"), header("location"));
        let headers = response.headers().clone();
        let body = response.bytes().await.expect("a whole body").to_vec();
        Answer { status, media_type, retry_after, location, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// The status of a GET over a new connection; none if the connection was closed.
    pub(crate) async fn try_get(&self, path: &str) -> Option<u16> {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let response = client.get(format!("http://{}{path}", self.address)).send().await;
        response.ok().map(|response| response.status().as_u16())
    }

    /// Connects as the client 127.0.0.`client`, with a socket that takes little before it is read.
    pub(crate) async fn connect_as(&self, client: u8) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a size");
        socket.bind((Ipv4Addr::new(127, 0, 0, client), 0).into()).expect("loopback is all of 127.0.0.0/8");
        socket.connect(self.address).await.expect("connected")
    }

    /// Waits until a query whose one column is named `found` finds `expected`.
    pub(crate) async fn until_found(&self, query: &str, expected: usize) {
        let query = serde_json::json!({ "query": query }).to_string();
        let row = format!(r#"[{{"found":{expected}}}]"#);
        let is_found = async {
            while !self.post_json("/api/v1/sql", &query).await.text().contains(&row) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, is_found).await.unwrap_or_else(|_| panic!("{query} never found {expected}"));
    }

    pub(crate) async fn post_json(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body).await
    }

    /// Makes a topic of one partition, so that offsets tell the order.
    pub(crate) async fn topic(&self, name: &str) {
        let name = TopicName::new(name).expect("a name");
        let new = NewTopic { name, partitions: Some(1), config: TopicConfig::default() };
        Admin::create_topic(&self.broker, new).await.expect("made");
    }

    pub(crate) async fn delete_topic(&self, topic: &str) {
        Admin::delete_topic(&self.broker, &TopicName::new(topic).expect("a name")).await.expect("removed");
    }

    /// Declares the event of a topic, as an applied project would.
    pub(crate) fn declare(&self, topic: &str, key: Option<&str>) {
        let mut definitions = Definitions::new();
        definitions.insert(definition(topic, key));
        self.catalogue.replace(&definitions.into());
    }

    /// Every record of a topic of one partition: key, value and headers.
    pub(crate) async fn records(&self, topic: &str) -> String {
        let answer = self.get(&format!("/api/v1/topics/{topic}/records?partition=0")).await.json();
        let mut lines = String::new();
        for record in answer["records"].as_array().expect("records") {
            writeln!(lines, "{}: key {} value {}", record["offset"], record["key"], record["value"])
                .expect("text");
            for header in record["headers"].as_array().expect("headers") {
                let name = header["key"].as_str().expect("a name");
                writeln!(lines, "   {name} = {}", header["value"]).expect("text");
            }
        }
        lines
    }

    pub(crate) async fn stop(self) {
        assert!(self.http.stop_within(Duration::from_secs(10)).await.is_empty(), "connections end");
        for group in &self.sql {
            assert!(group.stop_within(Duration::from_secs(10)).await.is_empty(), "views stop");
        }
        assert!(self.log.stop_within(Duration::from_secs(10)).await.is_empty(), "the log closes");
    }
}

/// An engine over a state of its own, as the server wires it.
fn engine(
    settings: factum_sql::Options,
    folder: &Path,
    broker: &Broker,
    clock: &HeldClock,
    [tasks, state]: &[TaskGroup; 2],
) -> Engine {
    let disk = Arc::new(LocalDisk);
    let environment = Environment::new(disk.clone(), EnvironmentOptions::default());
    let committer = environment.committer().clone();
    let running = committer.clone();
    state.spawn_thread("committer", OnError::StopServer, move |_| {
        running.run();
        Ok(())
    });
    let (clock, options) = (Arc::new(clock.clone()), factum_state::Options::default());
    let store = EmbeddedStore::open(&environment, disk, clock.clone(), &folder.join("state"), options);
    let store = store.expect("the state opens");
    let (service, stop) = (factum_state::Service::new(&store), state.stop());
    state.spawn("state", OnError::StopServer, async move {
        let ran = service.run(stop).await;
        committer.stop();
        ran
    });
    let (log, internal_log) = (Arc::new(broker.clone()), Arc::new(broker.internal_log()));
    Engine::open(settings, log, internal_log, Arc::new(store), clock, tasks.clone())
}

pub(crate) fn definition(topic: &str, key: Option<&str>) -> EventDefinition {
    EventDefinition {
        topic: TopicName::new(topic).expect("a name"),
        team: "store".parse().expect("a team"),
        project: "contoso".to_owned(),
        summary: Some("A customer paid for an order.".to_owned()),
        format: Format::Json,
        schema: None::<PathBuf>,
        contract: None,
        time: None,
        lateness: None,
        key: key.map(str::to_owned),
        partitions: None,
        settings: TopicSettings::default(),
        visibility: Visibility::default(),
        capture: None,
        event_type: "contoso.store.orders".to_owned(),
        source: "/contoso/store".to_owned(),
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) media_type: String,
    pub(crate) retry_after: String,
    pub(crate) location: String,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as clients read it.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Status and body on one line.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.status, self.text())
    }

    /// Status, detail and the members for programs of a problem.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.media_type, "application/problem+json", "{}", self.line());
        let mut json = self.json();
        let problem = json.as_object_mut().expect("an object");
        assert_eq!(problem.remove("status"), Some(self.status.into()));
        let mut take = |name| problem.shift_remove(name).and_then(|value| value.as_str().map(str::to_owned));
        let kind = take("type").expect("a type");
        let (title, detail) = (take("title").expect("a title"), take("detail").expect("a detail"));
        assert!(kind.starts_with("urn:factum:problem:") && !title.is_empty(), "{kind} {title}");
        format!("{} {detail} {}", self.status, serde_json::Value::from(problem.clone()))
    }
}
