//! Settings of the HTTP API.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use factum_access::tls;
use factum_types::ByteSize;
use serde::{Deserialize, Serialize};

/// The settings of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The certificate, to serve HTTPS and nothing else.
    pub tls: Option<tls::Options>,
    /// Names besides `localhost` and addresses under which a listener on loopback may be reached: a name that is
    /// not here could be a web page's own, made to point to this machine.
    pub allowed_hosts: Vec<String>,
    /// The largest request body; a larger one is answered with 413.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_body: ByteSize,
    /// The most events that one request may bring.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_batch_events: usize,
    /// Memory for the bodies of all requests at once; one that finds no room is answered with 503. One client address
    /// holds at most half of it, and the first 64 KiB of each body are counted apart, so that small requests find
    /// room beside large ones.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub body_memory: ByteSize,
    /// The most rows that a view or a query gives at once.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_rows: usize,
    /// How long one query may take.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub query_timeout: Duration,
    /// Connections that may follow changes of views at once; a further one is answered with 503.
    pub max_followers: usize,
    /// Memory for the text of snapshots, and of changes that are as large, that followers of views are being sent. One
    /// client address has at most half of it. Who finds no room waits; beside it, two are being rendered, and each
    /// follower has a frame of 64 KiB.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub snapshot_memory: ByteSize,
    /// How long a response of many rows waits for its memory, and a follower for that of its snapshot: then the oldest
    /// text in it is given up. Who is still being sent that is disconnected, and begins again when it comes back.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub snapshot_timeout: Duration,
    /// Memory for responses that their clients have not taken yet: the columns of rows, and the text of whatever is longer
    /// than 16 KiB. One client address has at most half of it, and an eighth is for small responses alone. What finds no
    /// room in time is answered with 503.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub answer_memory: ByteSize,
    /// Tails of topics and streams of the overview at once; a further one is answered with 503.
    pub max_tails: usize,
    /// Streams of all kinds that one client address may have at once; a further one is answered with 503.
    pub max_streams_per_client: usize,
    /// Memory for records that were read for tails and that their clients have not taken yet; one client address has at
    /// most half of it. Every tail may have a frame of 128 KiB beside; a record that takes more waits until there is
    /// room for it.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub tail_memory: ByteSize,
    /// How often the lag of consumer groups is sampled for its history, of which 240 samples are kept.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub lag_interval: Duration,
    /// Connections held at once; further ones wait in the operating system's queue.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_connections: usize,
    /// Connections of one client address at once; further ones are closed. Never more than three quarters of
    /// `max_connections`, so that no address takes all of them.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_connections_per_client: usize,
    /// How long a connection may stay without a first byte.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub idle_timeout: Duration,
    /// How long a request's head may take, and how long a connection is kept between two requests.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub header_timeout: Duration,
    /// How long a request's body may stand still.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub body_timeout: Duration,
    /// How long a client may take nothing of a response before it is disconnected. What it takes is seen in steps of some
    /// 100 KB.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub write_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            tls: None,
            allowed_hosts: vec!["host.docker.internal".to_owned()],
            max_body: ByteSize::mib(16),
            max_batch_events: 100_000,
            body_memory: ByteSize::mib(64),
            max_rows: 100_000,
            query_timeout: Duration::from_secs(30),
            max_followers: 1_000,
            snapshot_memory: ByteSize::mib(128),
            snapshot_timeout: Duration::from_secs(10),
            answer_memory: ByteSize::mib(128),
            max_tails: 1_000,
            max_streams_per_client: 500,
            tail_memory: ByteSize::mib(64),
            lag_interval: Duration::from_secs(15),
            max_connections: 16_384,
            max_connections_per_client: 12_288,
            idle_timeout: Duration::from_secs(300),
            header_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(30),
        }
    }
}
