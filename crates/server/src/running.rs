//! A server that runs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use factum_base::tasks::{TaskGroup, TaskTree};
use factum_governance::Catalogue;
use factum_governance::watch::{self, Outcome};
use factum_http_api::ListenerView;
use factum_sql::Engine;
use tracing::info;

use crate::TemporaryFolder;
use crate::access::AccessStart;

/// How long a group may take to stop; clients that hang on longer are let go.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running server. Dropping it abandons its tasks; [`Running::stop`] ends them in order.
pub struct Running {
    pub(crate) tree: TaskTree,
    pub(crate) groups: Groups,
    pub(crate) http: SocketAddr,
    pub(crate) is_https: bool,
    pub(crate) kafka: SocketAddr,
    pub(crate) listeners: Vec<ListenerView>,
    pub(crate) access: AccessStart,
    pub(crate) data_dir: PathBuf,
    pub(crate) temporary: Option<TemporaryFolder>,
    pub(crate) catalogue: Catalogue,
    pub(crate) engine: Engine,
    pub(crate) project: watch::Handle,
    pub(crate) outcome: Outcome,
}

/// The groups of tasks, in the order in which they stop.
pub(crate) struct Groups {
    pub(crate) edge: TaskGroup,
    pub(crate) domain: TaskGroup,
    pub(crate) state: TaskGroup,
    pub(crate) broker: TaskGroup,
}

impl Groups {
    pub(crate) fn new(tree: &TaskTree) -> Self {
        Self {
            edge: tree.child("edge"),
            domain: tree.child("domain"),
            state: tree.child("state"),
            broker: tree.child("broker"),
        }
    }

    /// Stops admitting, then drains, then syncs.
    pub(crate) async fn stop(&self) {
        for group in [&self.edge, &self.domain, &self.state, &self.broker] {
            group.stop_within(STOP_LIMIT).await.log();
        }
    }
}

impl Running {
    /// Where HTTP is served.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// The same as a URL.
    pub fn http_url(&self) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}", self.http)
    }

    /// Where Kafka clients connect.
    pub fn kafka(&self) -> SocketAddr {
        self.kafka
    }

    /// Every listener, with who is let in.
    pub fn listeners(&self) -> &[ListenerView] {
        &self.listeners
    }

    /// How many users may log in.
    pub fn user_count(&self) -> usize {
        self.access.store.users().len()
    }

    /// How many access rules there are.
    pub fn rule_count(&self) -> usize {
        self.access.store.acls().len()
    }

    /// What is lost of users and rules, if super users alone are let in for it.
    pub fn access_damage(&self) -> Option<&str> {
        self.access.damage.as_deref()
    }

    /// Where everything is kept.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Whether the data directory is removed at the end.
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// What is applied, and what is wrong with the project.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The names of the views that are kept.
    pub fn views(&self) -> Vec<String> {
        self.engine.views().iter().map(|view| view.name.to_string()).collect()
    }

    /// What came of applying the project at the start; [`Outcome::Waiting`] without one.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// A hand on the watched project, to see what comes of each change.
    pub fn project(&self) -> watch::Handle {
        self.project.clone()
    }

    /// Resolves with the reason once a task that the server needs has failed.
    pub async fn stop_requested(&self) -> String {
        self.tree.stop_requested().await
    }

    /// Stops in order: edge, domain, state, broker. What was admitted is finished and synced.
    pub async fn stop(self) {
        self.groups.stop().await;
        info!("stopped");
        if let Some(temporary) = self.temporary
            && let Err(error) = temporary.close()
        {
            tracing::warn!(%error, "could not remove the temporary data directory");
        }
    }
}
