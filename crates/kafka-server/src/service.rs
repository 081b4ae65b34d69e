//! The listener: accepts connections and runs one task for each.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use factum_access::AccessStore;
use factum_base::clients::{LogLimit, most_of_one_client};
use factum_base::clock::SharedClock;
use factum_base::listener::listen;
use factum_base::tasks::{Stop, TaskGroup};
use factum_broker::Broker;
use factum_types::Principal;
use factum_types::auth::Authorizer;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{info, warn};

use crate::connection::{AddressConnection, Addresses, Budget, Connection, RequestMemory};
use crate::handlers::{Node, Session};
use crate::metrics::Metrics;
use crate::options::Options;

/// Searches through the log at once, over all clients.
const SEARCHES: usize = 4;
/// How long to wait when the process has no descriptor left for a connection.
const PAUSE_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);
/// A peer that vanished without a word is noticed within about two minutes.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Why the port could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for Kafka clients on {address}")]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// What the operating system said.
    #[source]
    pub source: io::Error,
}

/// The Kafka listener, bound and not yet accepting.
#[derive(Debug)]
pub struct Service {
    listener: TcpListener,
    node: Arc<Node>,
    tasks: TaskGroup,
    slots: Arc<Semaphore>,
    addresses: Arc<Addresses>,
}

/// What others may know of a listener.
#[derive(Debug, Clone, Copy)]
pub struct Handle {
    /// Where it listens, with the port that was picked.
    pub local_addr: SocketAddr,
}

impl Service {
    /// Opens the port. Connections will run in `tasks`, and ask `authorizer` about everything that they do; `access` has the
    /// users and rules that they may change.
    ///
    /// # Errors
    /// [`BindError`] when the address is taken or not ours.
    pub fn bind(
        mut options: Options,
        broker: Broker,
        authorizer: Arc<dyn Authorizer>,
        access: AccessStore,
        clock: SharedClock,
        tasks: TaskGroup,
    ) -> Result<(Self, Handle), BindError> {
        let address = options.listen;
        let failed = |source| BindError { address, source };
        let listener = listen(address).map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        let most = most_of_one_client(options.max_connections);
        options.max_connections_per_address = options.max_connections_per_address.min(most);
        let slots = Arc::new(Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS)));
        let addresses = Arc::new(Addresses::new(options.max_connections_per_address));
        let node = Arc::new(Node {
            budget: Arc::new(Budget::new(&options)),
            request_memory: Arc::new(RequestMemory::new(&options)),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            metrics: Metrics::new(),
            log_limit: LogLimit::default(),
            options,
            broker,
            authorizer,
            access,
            clock,
        });
        Ok((Self { listener, node, tasks, slots, addresses }, Handle { local_addr }))
    }

    /// Accepts until `stop`. Connections outlive this call: each finishes what it began and then ends, and the
    /// task group waits for that.
    pub async fn run(self, stop: Stop) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.requested() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer, &stop),
                Err(error) => {
                    if let Some(left_out) = self.node.may_log(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) {
                        warn!(%error, left_out, "cannot accept Kafka connections");
                    }
                    tokio::time::sleep(PAUSE_AFTER_FAILED_ACCEPT).await;
                }
            }
        }
        info!("the Kafka listener is closed");
    }

    /// Serves a client, or turns it away if there are too many.
    fn admit(&self, stream: TcpStream, peer: SocketAddr, stop: &Stop) {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            self.node.metrics.turned_away();
            if let Some(left_out) = self.node.may_log(peer.ip()) {
                let limit = self.node.options.max_connections;
                warn!(%peer, limit, left_out, "too many Kafka connections, turning new ones away");
            }
            return;
        };
        let Some(connection) = self.addresses.connect(peer.ip()) else {
            self.node.metrics.turned_away();
            if let Some(left_out) = self.node.may_log(peer.ip()) {
                let limit = self.node.options.max_connections_per_address;
                warn!(%peer, limit, left_out, "too many Kafka connections of one address, turning new ones away");
            }
            return;
        };
        self.serve(stream, peer, slot, connection, stop.clone());
    }

    fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        slot: OwnedSemaphorePermit,
        connection: AddressConnection,
        stop: Stop,
    ) {
        let local = match prepare(&stream) {
            Ok(local) => local,
            // It was gone before we looked.
            Err(_) => return,
        };
        let node = Arc::clone(&self.node);
        let (principal, unsynced) = (Principal::anonymous(), Arc::default());
        let session = Session { node: Arc::clone(&node), principal, peer, connection, local, unsynced };
        let mut connection = Connection::new(stream, Arc::new(session));
        self.tasks.spawn_quiet(async move {
            let _slot = slot;
            node.metrics.opened();
            connection.run(&stop).await;
            node.metrics.closed();
        });
    }
}

/// Sets the socket up and tells which address the client reached.
fn prepare(stream: &TcpStream) -> io::Result<SocketAddr> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 6);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
    stream.local_addr()
}
