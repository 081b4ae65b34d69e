//! One connection: requests in, responses out, and an end for a client that does neither.
//!
//! Invariants:
//! - A connection that has sent nothing yet costs a socket and a small task, no buffers.
//! - A client that takes nothing of a response for [`Options::write_timeout`] is disconnected, whatever the response is.
//! - A response that comes before the request's end reaches the client: the connection is closed for writing first,
//!   and what the client still sends is read and thrown away for a while (lingering close, RFC 9112 §9.6).
//!
//! Not here: how many connections there may be, which is the listener's; how much the kernel takes for a
//! client that does not read, which is the listening socket's ([`factum_base::listener`]).

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use factum_access::tls::TlsServer;
use factum_base::clients::ClientAddress;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tower::Service as _;
use tracing::{debug, warn};

use crate::api::Api;
use crate::http::extract::PeerAddress;
use crate::{Options, metrics};

/// The most bytes of a request's head, and at the same time of what is read ahead of a body.
const HEAD_BYTES: usize = 64 << 10;
/// How long a request under way may take once a stop is requested.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How long a client is listened to that has been told that its request is refused.
const LINGER: Duration = Duration::from_secs(2);

/// Serves the requests of one connection until either side ends it, or the server stops.
pub(crate) async fn serve(
    stream: TcpStream,
    client: ClientAddress,
    api: &Api,
    router: Router,
    tls: Option<TlsServer>,
) {
    let _present = metrics::GaugeGuard::connection();
    // Buffers are created only for a connection that says something.
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
    let address = PeerAddress(stream.peer_addr().ok().map(|peer| peer.ip()));
    let stream = ClientStream::new(stream, &api.options);
    let Some(tls) = tls else { return serve_requests(stream, client, address, api, router).await };
    let shaken = tokio::select! {
        biased;
        () = api.stop.requested() => return,
        // In a box: it is over when the requests begin, and there may be ten thousand of these tasks.
        shaken = Box::pin(tls.accept(stream, client)) => shaken,
    };
    match shaken {
        Ok(stream) => Box::pin(serve_requests(stream, client, address, api, router)).await,
        Err(error) => match api.may_log(client) {
            Some(left_out) => warn!(%client, %error, left_out, "closed an HTTP connection"),
            None => debug!(%client, %error, "closed an HTTP connection"),
        },
    }
}

async fn serve_requests<S>(stream: S, client: ClientAddress, address: PeerAddress, api: &Api, router: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        request.extensions_mut().insert(client);
        request.extensions_mut().insert(address);
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

/// A socket whose writes have a time limit and whose end lets the client read what it was sent.
struct ClientStream {
    stream: TcpStream,
    write_timeout: Duration,
    /// When the write that waits is given up.
    write_deadline: Option<Pin<Box<Sleep>>>,
    /// Until when the client is listened to after the last response.
    linger: Option<Pin<Box<Sleep>>>,
}

impl ClientStream {
    fn new(stream: TcpStream, options: &Options) -> Self {
        let write_timeout = options.write_timeout;
        Self { stream, write_timeout, write_deadline: None, linger: None }
    }

    /// Passes on what a write came to, or an error once it has waited too long.
    fn within_time<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_deadline = None;
            return written;
        }
        let limit = self.write_timeout;
        let deadline =
            self.write_deadline.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        ready!(deadline.as_mut().poll(context));
        metrics::observe_write_timeout();
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.within_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.within_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        // Closing a socket that has unread bytes resets the connection, and the reset overtakes the response.
        let linger = this.linger.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + LINGER)));
        let mut scratch = [0; 16 << 10];
        loop {
            if linger.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
