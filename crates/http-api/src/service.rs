//! The listener and its connections.
//!
//! Always holds: no more connections than [`Options::max_connections`]; one that has sent nothing yet costs a
//! socket and a small task, no buffers; at a stop nothing new is taken, requests under way are answered, tails
//! end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use factum_base::tasks::{Stop, TaskGroup};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower::Service as _;
use tracing::{debug, warn};

use crate::state::Api;
use crate::{Options, State, metrics, router};

/// Connections that the operating system keeps until they are accepted.
const BACKLOG: i32 = 4096;
/// The most bytes of a request's head, and at the same time of what is read ahead of a body.
const HEAD_BYTES: usize = 64 << 10;
/// How long a request under way may take once a stop is requested.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How long to wait after the operating system has refused a connection, usually for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The listener could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for HTTP on {address}")]
pub struct BindError {
    /// The address wanted.
    pub address: SocketAddr,
    /// What the operating system said.
    #[source]
    pub source: io::Error,
}

/// The HTTP face, bound and not yet serving.
pub struct Service {
    listener: TcpListener,
    api: Arc<Api>,
    tasks: TaskGroup,
}

/// What others may know of a running [`Service`].
#[derive(Debug, Clone)]
pub struct Handle {
    /// Where it listens, with the port that was picked.
    pub local_addr: SocketAddr,
}

impl Service {
    /// Opens the listener. Connections are tasks of `tasks`, and its stop is theirs. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`], usually because the port is taken.
    pub fn bind(options: Options, state: State, tasks: TaskGroup) -> Result<(Self, Handle), BindError> {
        let address = options.listen;
        let bound = listen(address).and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (local_addr, listener) = bound.map_err(|source| BindError { address, source })?;
        metrics::describe();
        let api = Api::new(options, state, tasks.stop());
        Ok((Self { listener, api, tasks }, Handle { local_addr }))
    }

    /// Serves until `stop`. Connections still open then end on their own; [`TaskGroup::stop_within`] waits for
    /// them.
    pub async fn run(self, stop: Stop) {
        let router = router::router(Arc::clone(&self.api));
        let room = Arc::new(Semaphore::new(self.api.options.max_connections));
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.requested() => return,
                accepted = async {
                    let place = Arc::clone(&room).acquire_owned().await;
                    (place, self.listener.accept().await)
                } => accepted,
            };
            match accepted {
                (place, Ok((stream, _))) => {
                    let (api, router) = (Arc::clone(&self.api), router.clone());
                    self.tasks.spawn_quiet(async move {
                        serve(stream, &api, router).await;
                        drop(place);
                    });
                }
                (_, Err(error)) => {
                    warn!(error = &error as &dyn std::error::Error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

async fn serve(stream: TcpStream, api: &Api, router: Router) {
    let _present = metrics::Present::connection();
    // Buffers are made only for a connection that says something.
    tokio::select! {
        biased;
        () = api.stop.requested() => return,
        first = timeout(api.options.idle_timeout, stream.readable()) => {
            if !matches!(first, Ok(Ok(()))) {
                return;
            }
        }
    }
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "cannot switch off Nagle's algorithm");
    }
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        async move {
            Ok::<_, Infallible>(
                router.call(request.map(Body::new)).await.unwrap_or_else(|never| match never {}),
            )
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(api.options.header_timeout).max_buf_size(HEAD_BYTES);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = api.stop.requested() => {
            connection.as_mut().graceful_shutdown();
            // A client that takes nothing, or sends its body drop by drop, does not hold up the stop.
            timeout(STOP_GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%error, "connection ended");
    }
}
