//! A listener over an embedded log in a temporary directory.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use factum_access::sasl::ServerSecret;
use factum_access::{AccessStore, PasswordChecks, Users};
use factum_base::clock::SystemClock;
use factum_base::random::Random;
use factum_base::tasks::{OnError, TaskGroup, TaskTree};
use factum_broker::{AutoCreateTopics, Broker};
use factum_kafka_server::{Handle, Identity, Options, Service};
use factum_types::auth::{AllowAll, Authorizer};
use tempfile::TempDir;

use crate::client::Client;

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server that ends with its test.
pub(crate) struct Server {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) handle: Handle,
    /// Who may log in.
    pub(crate) users: Users,
    pub(crate) broker: Broker,
    /// Users and rules, which the listener's requests change.
    pub(crate) access: AccessStore,
    pub(crate) edge: TaskGroup,
    log: TaskGroup,
    _tree: TaskTree,
    dir: Arc<TempDir>,
}

impl Server {
    /// Open to everybody, with the default limits.
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default(), Arc::new(AllowAll)).await
    }

    pub(crate) async fn start_with(options: Options, authorizer: Arc<dyn Authorizer>) -> Self {
        Self::start_creating(AutoCreateTopics::Always, options, authorizer).await
    }

    pub(crate) async fn start_creating(
        auto_create_topics: AutoCreateTopics,
        options: Options,
        authorizer: Arc<dyn Authorizer>,
    ) -> Self {
        let dir = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        Self::start_over(dir, auto_create_topics, options, authorizer)
    }

    /// Stops, does something to the data directory, and starts again over it.
    pub(crate) async fn restarted_over(self, harm: impl FnOnce(&Path)) -> Self {
        for group in [&self.edge, &self.log] {
            assert!(group.stop_within(PATIENCE).await.is_empty(), "it stops");
        }
        let dir = Arc::clone(&self.dir);
        drop(self);
        harm(dir.path());
        Self::start_over(dir, AutoCreateTopics::Never, Options::default(), Arc::new(AllowAll))
    }

    fn start_over(
        dir: Arc<TempDir>,
        auto_create_topics: AutoCreateTopics,
        options: Options,
        authorizer: Arc<dyn Authorizer>,
    ) -> Self {
        let tree = TaskTree::new();
        let (log, edge) = (tree.child("log"), tree.child("edge"));
        let clock = Arc::new(SystemClock);
        let settings = factum_broker::Options {
            data_dir: dir.path().to_owned(),
            auto_create_topics,
            ..factum_broker::Options::default()
        };
        let (service, broker) =
            factum_broker::Service::open_local(settings, clock.clone(), Random::system()).expect("opened");
        log.spawn("broker", OnError::StopServer, service.run(log.stop(), log.clone()));
        let access = AccessStore::new(Arc::new(broker.internal_log()), true);
        let store = access.clone();
        let options = Options { listen: "127.0.0.1:0".parse().expect("an address"), ..options };
        let (users, random) = (access.users().clone(), Random::seeded(7));
        let identity = Identity {
            users: users.clone(),
            passwords: PasswordChecks::new(users.clone(), &random),
            secret: ServerSecret::random(&random),
            random: random.clone(),
        };
        let authorizer = move |_| Arc::clone(&authorizer);
        let (service, handle) =
            Service::bind(options, broker.clone(), authorizer, identity, access, clock, edge.clone())
                .expect("bound");
        let stop = edge.stop();
        edge.spawn("kafka", OnError::StopServer, async move {
            service.run(stop).await;
            Ok(())
        });
        Self { address: handle.local_addr, handle, users, access: store, broker, edge, log, _tree: tree, dir }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Makes a topic without asking the protocol.
    pub(crate) async fn create_topic(&self, name: &str, partitions: i32) {
        let new = factum_broker::NewTopic {
            name: name.parse().expect("a topic's name"),
            partitions: Some(partitions),
            config: factum_broker::TopicConfig::default(),
        };
        self.broker.create_topic(new).await.expect("created");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.edge.stop().request();
        self.log.stop().request();
    }
}
