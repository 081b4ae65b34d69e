//! TLS of a listener: its certificate from files, replaced while it serves when they change.
//!
//! **Invariants:**
//! - A listener that was opened has a certificate at all times: what cannot be read or does not fit is reported and tried again, and the
//!   last good one stays in use.
//! - A handshake is over within its time limit. So many are under way at once, and of one client address half of them, so that
//!   clients that are slow in theirs are in the way of no other address.
//! - The private key is in no log, error or `Debug`.
//!
//! **Not here:** what the name in a client's certificate may do.

mod certificate;
mod config;
mod der;
mod distinguished_name;
mod local_authority;
mod options;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use factum_base::clients::{ClientAddress, ClientLimit};
use factum_base::clock::SharedClock;
use factum_base::tasks::Stop;
use metrics::{Gauge, counter, describe_counter, describe_gauge, gauge};
use parking_lot::{Mutex, RwLock};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

pub use config::LoadError;
pub use local_authority::{LocalAuthority, LocalAuthorityError};
pub use options::{ClientAuth, Options};
pub use tokio_rustls::server::TlsStream;

use config::{Fingerprint, Material};

/// Handshakes under way at once. Each may hold some 100 KiB of what its client sends.
const HANDSHAKES: usize = 512;
/// Of one client address.
const HANDSHAKES_PER_CLIENT: usize = HANDSHAKES / 2;
/// Bytes that a connection keeps encrypted for a client that does not take them.
const UNSENT_BYTES: usize = 32 << 10;
/// How long before its end a certificate is warned about.
const EXPIRES_SOON: i64 = 14 * 24 * 60 * 60;

/// What a listener needs to speak TLS; a cheap handle.
#[derive(Clone)]
pub struct TlsServer(Arc<TlsState>);

struct TlsState {
    listener: &'static str,
    options: Options,
    protocols: Vec<Vec<u8>>,
    clock: SharedClock,
    current: RwLock<Certificate>,
    /// Of the files when they were read last, whether they could be used or not.
    seen: Mutex<Fingerprint>,
    /// Why the files are not in use as they are now.
    failure: Mutex<Option<String>>,
    handshakes: Semaphore,
    by_client: Arc<ClientLimit>,
    expires: Gauge,
}

/// What is in use.
struct Certificate {
    config: Arc<ServerConfig>,
    /// Seconds since 1970.
    not_after: i64,
}

/// Why a client has no connection.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// It took too long.
    #[error("the TLS handshake took longer than {}", factum_types::units::duration::display(*limit))]
    TooSlow {
        /// The time limit.
        limit: Duration,
    },
    /// The client speaks something else, or the two do not agree.
    #[error("the TLS handshake failed: {0}")]
    Failed(#[from] io::Error),
}

impl TlsServer {
    /// Reads the files of `options` for the listener of that name (`kafka`), which speaks one of `protocols` (ALPN) if there are any.
    ///
    /// # Errors
    /// [`LoadError`]: a file cannot be read, the key is not the certificate's, or settings do not go together.
    pub fn open(
        listener: &'static str,
        options: Options,
        protocols: &[&[u8]],
        clock: SharedClock,
    ) -> Result<Self, LoadError> {
        let protocols: Vec<_> = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let material = Material::read(&options)?;
        let (seen, certificate) =
            (material.fingerprint(), Certificate::new(&material, &options, &protocols)?);
        describe();
        let expires = gauge!("factum_tls_certificate_expiry_timestamp_seconds", "listener" => listener);
        let server = Self(Arc::new(TlsState {
            listener,
            options,
            protocols,
            clock,
            current: RwLock::new(certificate),
            seen: Mutex::new(seen),
            failure: Mutex::new(None),
            handshakes: Semaphore::new(HANDSHAKES),
            by_client: ClientLimit::new(HANDSHAKES_PER_CLIENT),
            expires,
        }));
        server.report_expiry();
        Ok(server)
    }

    /// Shakes hands with a client. What waits for its turn waits within the time limit.
    ///
    /// # Errors
    /// [`HandshakeError`]; the client was sent an alert where there is one for it.
    pub async fn accept<S>(&self, stream: S, client: ClientAddress) -> Result<TlsStream<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (shared, limit) = (&self.0, self.0.options.handshake_timeout);
        let handshake = async {
            let _share = shared.by_client.wait(client, 1).await;
            let _turn = shared.handshakes.acquire().await.expect("the semaphore is never closed");
            let acceptor = TlsAcceptor::from(Arc::clone(&shared.current.read().config));
            acceptor.accept_with(stream, |session| session.set_buffer_limit(Some(UNSENT_BYTES))).await
        };
        let outcome = match timeout(limit, handshake).await {
            Ok(outcome) => outcome.map_err(HandshakeError::Failed),
            Err(_) => Err(HandshakeError::TooSlow { limit }),
        };
        let label = match &outcome {
            Ok(_) => "done",
            Err(HandshakeError::TooSlow { .. }) => "too_slow",
            Err(HandshakeError::Failed(_)) => "failed",
        };
        counter!("factum_tls_handshakes_total", "listener" => shared.listener, "outcome" => label)
            .increment(1);
        outcome
    }

    /// Looks after the files until `stop`.
    pub async fn watch(self, stop: Stop) {
        loop {
            tokio::select! {
                biased;
                () = stop.requested() => return,
                () = tokio::time::sleep(self.0.options.reload_every) => {}
            }
            let server = self.clone();
            // A file system that gives no answer keeps a thread, and neither the listener nor a stop.
            tokio::select! {
                biased;
                () = stop.requested() => return,
                _ = tokio::task::spawn_blocking(move || server.reload()) => {}
            }
        }
    }

    /// What is wrong, in words: files that cannot be used, a certificate that is not valid any more or soon.
    pub fn problems(&self) -> Vec<String> {
        let failure = self.0.failure.lock().clone();
        failure.into_iter().chain(self.expiry_problem()).collect()
    }

    /// Takes the files if they have changed and can be used.
    fn reload(&self) {
        let (shared, listener) = (&self.0, self.0.listener);
        let material = match Material::read(&shared.options) {
            Ok(material) => material,
            Err(error) => return self.fail(&error),
        };
        let fingerprint = material.fingerprint();
        if *shared.seen.lock() == fingerprint {
            let is_in_use = shared.failure.lock().is_none();
            if is_in_use {
                return self.report_expiry_silently();
            }
        }
        match Certificate::new(&material, &shared.options, &shared.protocols) {
            Ok(certificate) if self.is_expired(&certificate) && !self.is_expired(&shared.current.read()) => {
                let path = shared.options.certificate.clone();
                self.fail(&LoadError::Expired { path });
            }
            Ok(certificate) => {
                *shared.current.write() = certificate;
                *shared.seen.lock() = fingerprint;
                *shared.failure.lock() = None;
                counter!("factum_tls_certificate_reloads_total", "listener" => listener, "outcome" => "done")
                    .increment(1);
                info!(listener, "a new certificate is in use");
                self.report_expiry();
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Keeps what is in use, and says why once.
    fn fail(&self, error: &LoadError) {
        let (shared, listener) = (&self.0, self.0.listener);
        let reason = format!("the certificate stays the one read before: {error}");
        let mut failure = shared.failure.lock();
        if failure.as_ref() != Some(&reason) {
            counter!("factum_tls_certificate_reloads_total", "listener" => listener, "outcome" => "failed")
                .increment(1);
            warn!(listener, "{reason}");
            *failure = Some(reason);
        }
    }

    fn is_expired(&self, certificate: &Certificate) -> bool {
        certificate.not_after <= self.0.clock.now().as_millis() / 1_000
    }

    fn report_expiry(&self) {
        self.report_expiry_silently();
        if let Some(problem) = self.expiry_problem() {
            warn!(listener = self.0.listener, "{problem}");
        }
    }

    fn report_expiry_silently(&self) {
        self.0.expires.set(self.0.current.read().not_after as f64);
    }

    fn expiry_problem(&self) -> Option<String> {
        let left = self.0.current.read().not_after - self.0.clock.now().as_millis() / 1_000;
        let path = self.0.options.certificate.display();
        match left {
            ..=0 => Some(format!("the certificate in {path} has expired: clients refuse it")),
            1..EXPIRES_SOON => Some(format!("the certificate in {path} expires in {} h", left / 3_600)),
            _ => None,
        }
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").field("options", &self.0.options).finish_non_exhaustive()
    }
}

impl Certificate {
    fn new(material: &Material, options: &Options, protocols: &[Vec<u8>]) -> Result<Self, LoadError> {
        let not_after = material.not_after()?;
        Ok(Self { config: Arc::new(material.server_config(options, protocols)?), not_after })
    }
}

/// The subject of the certificate that the client has proved to have, as Kafka writes it (RFC 2253): `CN=reader,O=Example`. `None`
/// if it has none.
pub fn client_name<S>(stream: &TlsStream<S>) -> Option<String> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    certificate::subject(certificate).and_then(distinguished_name::to_text).filter(|name| !name.is_empty())
}

fn describe() {
    describe_counter!("factum_tls_handshakes_total", "TLS handshakes by listener and outcome");
    describe_counter!(
        "factum_tls_certificate_reloads_total",
        "Certificates read again after a change, by listener and outcome"
    );
    describe_gauge!(
        "factum_tls_certificate_expiry_timestamp_seconds",
        "End of the certificate's validity, in seconds since 1970, by listener"
    );
}

#[cfg(test)]
mod tests;
