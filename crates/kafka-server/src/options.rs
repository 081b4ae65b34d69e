//! Settings of the Kafka listener.

mod security;

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use factum_access::tls;
use factum_types::ByteSize;
use serde::{Deserialize, Serialize};

pub(crate) use security::FIRST;
pub use security::{ListenerOptions, OptionsError, SaslOptions, SecurityProtocol};

/// The listener's settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// What clients are told to connect to. Without it, each client is told the address that it reached.
    pub advertised: Option<Endpoint>,
    /// How it is spoken to.
    pub security: SecurityProtocol,
    /// The certificate of all listeners with TLS.
    pub tls: Option<tls::Options>,
    /// How clients log in, on all listeners with SASL.
    pub sasl: Option<SaslOptions>,
    /// Further listeners. Limits are those of all of them together.
    pub listeners: Vec<ListenerOptions>,
    /// Connections held at once; one more is closed at once.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_connections: usize,
    /// Connections held at once for one client address (of IPv6 a /64 network); one more is closed at once. Never more
    /// than three quarters of `max_connections`, so that no address takes all of them.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_connections_per_address: usize,
    /// The largest request taken. A longer one closes its connection before a byte of it is kept.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_frame_bytes: ByteSize,
    /// Bytes of requests in memory at once, over all connections. The first 16 KiB of each connection are not
    /// counted, so that a small request waits for no other.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_in_flight_bytes: ByteSize,
    /// Bytes of requests in memory at once for one client address.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_address_in_flight_bytes: ByteSize,
    /// Bytes of requests begun and not yet answered, per connection.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_connection_in_flight_bytes: ByteSize,
    /// The largest answer to one fetch; a first batch larger than this is sent all the same (KIP-74).
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_fetch_bytes: ByteSize,
    /// Bytes of fetched records on their way to clients at once, over all connections, before answers are
    /// made smaller; half of it for one client address.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_fetch_in_flight_bytes: ByteSize,
    /// The longest that a fetch waits for records, whatever it asks for.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub max_fetch_wait: Duration,
    /// Fetch sessions kept at once (KIP-227), of which one client address has half; a client beyond them is served without
    /// one.
    pub max_fetch_sessions: usize,
    /// Memory of fetch sessions: some 250 bytes for each partition that a client reads, of which one client address has half.
    pub max_fetch_session_bytes: ByteSize,
    /// A connection on which nothing happened for so long is closed.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub idle_timeout: Duration,
    /// A request that has not arrived whole within this, or an answer of which less than 64 KiB was taken
    /// within this, closes the connection. Clients give up after 30 s themselves.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub stall_timeout: Duration,
    /// As `stall_timeout`, while other clients wait for the memory that such a connection holds: less than
    /// 64 KiB within this, of a request or of an answer, closes the connection.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub crowded_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9092)),
            advertised: None,
            security: SecurityProtocol::Plaintext,
            tls: None,
            sasl: None,
            listeners: Vec::new(),
            max_connections: 12_000,
            max_connections_per_address: 4_000,
            max_frame_bytes: ByteSize::mib(16),
            max_in_flight_bytes: ByteSize::mib(64),
            max_address_in_flight_bytes: ByteSize::mib(32),
            max_connection_in_flight_bytes: ByteSize::mib(8),
            max_fetch_bytes: ByteSize::mib(8),
            max_fetch_in_flight_bytes: ByteSize::mib(64),
            max_fetch_wait: Duration::from_secs(30),
            max_fetch_sessions: 1_000,
            max_fetch_session_bytes: ByteSize::mib(32),
            idle_timeout: Duration::from_secs(600),
            stall_timeout: Duration::from_secs(30),
            crowded_timeout: Duration::from_secs(2),
        }
    }
}

/// A host and a port that clients connect to, written `host:port` or `[v6]:port`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Why text is not an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an endpoint; write host:port")]
pub struct EndpointError {
    /// The text.
    pub text: String,
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let refused = || EndpointError { text: text.to_owned() };
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if bare.is_empty() || (bare == host && host.contains(':')) {
            return Err(refused());
        }
        Ok(Self { host: bare.to_owned(), port: port.parse().map_err(|_| refused())? })
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, EndpointError> {
        text.parse()
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_canonical().to_string(), port: address.port() }
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_parse_and_display() {
        for text in ["broker.example:9092", "127.0.0.1:1", "[::1]:9092"] {
            assert_eq!(text.parse::<Endpoint>().expect("valid").to_string(), text);
        }
        assert_eq!("[::1]:2".parse::<Endpoint>().expect("valid").host, "::1");
        for text in ["", "host", ":9092", "host:", "host:99999", "::1:9092"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
