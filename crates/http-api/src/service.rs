//! The listener.
//!
//! Invariants: no more connections than [`Options::max_connections`], and of one client address no more than
//! [`Options::max_connections_per_client`]; at a stop nothing new is accepted, requests under way are answered,
//! streams end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use factum_access::tls::{LoadError, TlsServer};
use factum_base::clients::{ClientAddress, most_of_one_client};
use factum_base::listener::listen;
use factum_base::tasks::{OnError, Stop, TaskGroup};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

use crate::api::Api;
use crate::http::client_limit::ClientLimit;
use crate::{Options, State, connection, metrics, router};

/// How long to wait after the operating system has refused a connection, usually for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why HTTP cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The port could not be opened.
    #[error("cannot listen for HTTP on {address}")]
    Listen {
        /// The address wanted.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// There is no certificate to serve with.
    #[error("[http.tls]: {0}")]
    Certificate(#[from] LoadError),
}

/// The HTTP API, bound and not yet serving.
pub struct Service {
    listener: TcpListener,
    api: Arc<Api>,
    tasks: TaskGroup,
    tls: Option<TlsServer>,
}

/// What others may know of a running [`Service`].
#[derive(Debug, Clone)]
pub struct Handle {
    /// Where it listens, with the port that was picked.
    pub local_addr: SocketAddr,
    tls: Option<TlsServer>,
}

impl Handle {
    /// Whether it serves HTTPS.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// What is wrong while it still serves: a certificate that ends, files that cannot be used.
    pub fn problems(&self) -> Vec<String> {
        self.tls.iter().flat_map(TlsServer::problems).collect()
    }
}

impl Service {
    /// Opens the listener. Connections are tasks of `tasks`, and its stop is theirs. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`], usually because the port is taken, or the certificate cannot be used.
    pub fn bind(mut options: Options, state: State, tasks: TaskGroup) -> Result<(Self, Handle), BindError> {
        let address = options.listen;
        let bound = listen(address).and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (local_addr, listener) = bound.map_err(|source| BindError::Listen { address, source })?;
        let tls = match &options.tls {
            Some(tls) => {
                Some(TlsServer::open("http", tls.clone(), &[b"http/1.1"], Arc::clone(&state.clock))?)
            }
            None => None,
        };
        let most = most_of_one_client(options.max_connections);
        options.max_connections_per_client = options.max_connections_per_client.min(most);
        metrics::describe();
        metrics::max_rows(options.max_rows);
        let api = Api::new(options, state, &tasks);
        Ok((Self { listener, api, tasks, tls: tls.clone() }, Handle { local_addr, tls }))
    }

    /// Serves until `stop`. Connections still open then end on their own; [`TaskGroup::stop_within`] waits for
    /// them.
    pub async fn run(self, stop: Stop) {
        let router = router::router(Arc::clone(&self.api));
        if let Some(tls) = &self.tls {
            let watch = tls.clone().watch(stop.clone());
            self.tasks.spawn("http certificate", OnError::Log, async move {
                watch.await;
                Ok(())
            });
        }
        let history = Arc::clone(&self.api.lag_history);
        let interval = self.api.options.lag_interval;
        self.tasks.spawn_quiet(history.follow(self.api.state.clone(), interval, stop.clone()));
        let room = Arc::new(Semaphore::new(self.api.options.max_connections));
        let clients = ClientLimit::new(self.api.options.max_connections_per_client);
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.requested() => return,
                accepted = self.accept(&room) => accepted,
            };
            let (place, stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    if let Some(left_out) = self.api.may_log(ClientAddress::UNKNOWN) {
                        warn!(
                            error = &error as &dyn std::error::Error,
                            left_out, "cannot accept a connection"
                        );
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let client = ClientAddress::from(address.ip());
            let Some(share) = clients.take(client, 1) else {
                metrics::observe_refused_connection();
                if let Some(left_out) = self.api.may_log(client) {
                    let limit = clients.limit();
                    warn!(%client, limit, left_out, "too many connections from one client address");
                }
                continue;
            };
            let (api, router, tls) = (Arc::clone(&self.api), router.clone(), self.tls.clone());
            self.tasks.spawn_quiet(async move {
                connection::serve(stream, client, &api, router, tls).await;
                drop((place, share));
            });
        }
    }

    /// Says that further connections wait.
    fn tell_full(&self) {
        metrics::observe_full();
        if let Some(left_out) = self.api.may_log(ClientAddress::UNKNOWN) {
            let limit = self.api.options.max_connections;
            warn!(limit, left_out, "all HTTP connections are taken, further clients wait");
        }
    }

    /// Waits for a place among the connections, then for a client.
    async fn accept(
        &self,
        room: &Arc<Semaphore>,
    ) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
        let place = match Arc::clone(room).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                self.tell_full();
                Arc::clone(room).acquire_owned().await.expect("the semaphore is never closed")
            }
        };
        let (stream, address) = self.listener.accept().await?;
        Ok((place, stream, address))
    }
}
