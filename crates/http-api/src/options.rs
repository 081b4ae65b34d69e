//! What can be set.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use factum_types::ByteSize;
use factum_types::units::duration;
use serde::{Deserialize, Serialize};

/// The HTTP face's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Names besides `localhost` and addresses under which a listener on loopback may be reached: a name that is
    /// not here could be a web page's own, made to point to this machine.
    pub allowed_hosts: Vec<String>,
    /// The largest request body; a larger one is answered with 413.
    pub max_body: ByteSize,
    /// The most events that one request may bring.
    pub max_batch_events: usize,
    /// Memory for the bodies of all requests at once; one that finds no room is answered with 503.
    pub body_memory: ByteSize,
    /// The most rows that a view or a query gives at once.
    pub max_rows: usize,
    /// How long one query may take.
    #[serde(with = "duration")]
    pub query_timeout: Duration,
    /// Connections that may follow changes of views at once; a further one is answered with 503.
    pub max_followers: usize,
    /// Connections held at once; further ones wait in the operating system's queue.
    pub max_connections: usize,
    /// How long a connection may stay without a first byte.
    #[serde(with = "duration")]
    pub idle_timeout: Duration,
    /// How long a request's head may take, and how long a connection is kept between two requests.
    #[serde(with = "duration")]
    pub header_timeout: Duration,
    /// How long a request's body may stand still.
    #[serde(with = "duration")]
    pub body_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            allowed_hosts: vec!["host.docker.internal".to_owned()],
            max_body: ByteSize::mib(16),
            max_batch_events: 100_000,
            body_memory: ByteSize::mib(64),
            max_rows: 100_000,
            query_timeout: Duration::from_secs(30),
            max_followers: 1_000,
            max_connections: 16_384,
            idle_timeout: Duration::from_secs(300),
            header_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(20),
        }
    }
}
