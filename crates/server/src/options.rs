//! Options of a server.

use std::net::SocketAddr;
use std::path::PathBuf;

use factum_governance::watch;
use serde::Deserialize;

use crate::machine;

/// A server's settings, one section a component.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Where it keeps everything; see [`DataDir`].
    pub data_dir: DataDir,
    /// A project folder to apply at the start and to watch.
    pub project: Option<PathBuf>,
    /// Who may use it.
    pub access: Access,
    /// The embedded log. Its `data_dir` is set from [`Options::data_dir`].
    pub log: factum_broker::Options,
    /// The Kafka API.
    pub kafka: factum_kafka_server::Options,
    /// The HTTP API.
    pub http: factum_http_api::Options,
    /// Where views keep their state.
    pub state: factum_state::Options,
    /// The SQL engine.
    pub sql: factum_sql::Options,
    /// What becomes of the feeds that the project declares.
    pub feeds: factum_feeds::Options,
    /// When the disk of the data directory counts as full.
    pub disk: machine::Options,
    /// How the project folder is watched.
    pub watch: watch::Options,
}

/// Where a server keeps everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Option<PathBuf>")]
pub enum DataDir {
    /// In a new directory that is removed at the end.
    #[default]
    Temporary,
    /// Here, for good.
    Kept(PathBuf),
}

impl From<Option<PathBuf>> for DataDir {
    fn from(path: Option<PathBuf>) -> Self {
        path.map_or(Self::Temporary, Self::Kept)
    }
}

/// Who may use a server that asks for no identity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Anyone who reaches a loopback listener; no one through another one.
    #[default]
    OpenOnLoopback,
    /// Anyone who reaches any listener: for a network that is trusted as a whole.
    Open,
    /// No one.
    Closed,
}

impl Access {
    /// Whether a listener on `address` lets anyone in.
    pub fn is_open_at(self, address: SocketAddr) -> bool {
        match self {
            Self::OpenOnLoopback => address.ip().is_loopback(),
            Self::Open => true,
            Self::Closed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_beyond_loopback_is_closed_unless_told_otherwise() {
        let (inside, outside) = ("127.0.0.1:1".parse(), "0.0.0.0:1".parse());
        let (inside, outside) = (inside.expect("an address"), outside.expect("an address"));
        assert!(Access::default().is_open_at(inside));
        assert!(!Access::default().is_open_at(outside));
        assert!(Access::Open.is_open_at(outside));
        assert!(!Access::Closed.is_open_at(inside));
    }
}
