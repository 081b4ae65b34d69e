//! The listeners: accept connections and run one task for each.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use factum_access::sasl::{KeysError, Logins, Mechanism, ServerSecret, TokenKeys};
use factum_access::tls::{LoadError, TlsServer, client_name};
use factum_access::{AccessStore, PasswordChecks, QuotaKey, QuotaMeters, Users};
use factum_base::clients::{ClientAddress, ClientLimit, LogLimit, most_of_one_client};
use factum_base::clock::SharedClock;
use factum_base::fair_work::FairWork;
use factum_base::listener::listen;
use factum_base::random::Random;
use factum_base::tasks::{OnError, Stop, TaskGroup};
use factum_broker::Broker;
use factum_types::Principal;
use factum_types::auth::Authorizer;
use futures::future::join_all;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{info, warn};

use crate::connection::{AddressConnection, Addresses, Budget, Connection, RequestMemory, to_usize};
use crate::handlers::{Authentication, FetchSessions, ListenerInfo, LoginRules, Node, Session, Throttle};
use crate::metrics::Metrics;
use crate::options::{FIRST, ListenerOptions, Options, OptionsError};

/// Searches through the log at once, over all clients.
const SEARCHES: usize = 4;
/// Walks over all rules, and patterns, at once, over all clients; one address has half of them.
const SIDE_WORK: usize = 2;
/// How long to wait when the process has no descriptor left for a connection.
const PAUSE_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);
/// A peer that vanished without a word is noticed within about two minutes.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Why Kafka clients cannot be listened to.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A port could not be opened.
    #[error("cannot listen for Kafka clients on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Settings do not go together.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// There is no certificate to serve with.
    #[error("[kafka.tls]: {0}")]
    Certificate(#[from] LoadError),
    /// There are no keys to check tokens with.
    #[error("[kafka.sasl.oauthbearer]: {0}")]
    TokenKeys(#[from] KeysError),
}

/// What clients that log in are checked with.
#[derive(Clone)]
pub struct Identity {
    /// The users.
    pub users: Users,
    /// Checks their passwords.
    pub passwords: PasswordChecks,
    /// From which is made what is shown of users that there are not; stays the same over restarts.
    pub secret: ServerSecret,
    /// Where nonces come from.
    pub random: Random,
}

/// The Kafka listeners, bound and not yet accepting.
#[derive(Debug)]
pub struct Service {
    listeners: Vec<Listener>,
    node: Arc<Node>,
    tasks: TaskGroup,
    slots: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    tls: Option<TlsServer>,
    token_keys: Option<TokenKeys>,
}

/// One listener.
#[derive(Debug)]
struct Listener {
    socket: TcpListener,
    info: Arc<ListenerInfo>,
    /// If it is spoken to by TLS.
    tls: Option<TlsServer>,
    /// If clients log in.
    rules: Option<LoginRules>,
}

/// What others may know of the listeners.
#[derive(Debug, Clone)]
pub struct Handle {
    /// Where the first one listens, with the port that was picked.
    pub local_addr: SocketAddr,
    /// All of them by name, the first one first.
    pub listeners: Vec<(String, SocketAddr)>,
    tls: Option<TlsServer>,
    token_keys: Option<TokenKeys>,
}

impl Handle {
    /// What is wrong while it still serves: a certificate that ends, files that cannot be used.
    pub fn problems(&self) -> Vec<String> {
        let certificate = self.tls.iter().flat_map(TlsServer::problems);
        certificate.chain(self.token_keys.as_ref().and_then(TokenKeys::problem)).collect()
    }
}

impl Service {
    /// Opens the ports. Connections will run in `tasks`. Those of a listener ask, about everything that they do, what `authorizer` gives
    /// for its address. `access` has the users and rules that they may change.
    ///
    /// # Errors
    /// [`BindError`] when an address is taken or not ours, or settings and files cannot be used.
    pub fn bind(
        mut options: Options,
        broker: Broker,
        authorizer: impl Fn(SocketAddr) -> Arc<dyn Authorizer>,
        identity: Identity,
        access: AccessStore,
        clock: SharedClock,
        tasks: TaskGroup,
    ) -> Result<(Self, Handle), BindError> {
        options.check()?;
        let tls = match &options.tls {
            Some(tls) => Some(TlsServer::open(FIRST, tls.clone(), &[], Arc::clone(&clock))?),
            None => None,
        };
        let (rules, token_keys) = login_rules(&options, identity, &clock)?;
        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        for listener in options.all_listeners() {
            let bound = Listener::bind(&listener, &authorizer, tls.as_ref(), &rules)?;
            let failed = |source| BindError::Listen { address: listener.listen, source };
            addresses.push((listener.name, bound.socket.local_addr().map_err(failed)?));
            listeners.push(bound);
        }
        let local_addr = addresses[0].1;
        let handle =
            Handle { local_addr, listeners: addresses, tls: tls.clone(), token_keys: token_keys.clone() };
        let most = most_of_one_client(options.max_connections);
        options.max_connections_per_address = options.max_connections_per_address.min(most);
        let slots = Arc::new(Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS)));
        let addresses = Arc::new(Addresses::new(options.max_connections_per_address));
        let node = Arc::new(Node {
            budget: Arc::new(Budget::new(&options)),
            request_memory: Arc::new(RequestMemory::new(&options)),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            side_work: FairWork::at_most(SIDE_WORK),
            long_answers: ClientLimit::new(1),
            fetch_sessions: FetchSessions::new(
                options.max_fetch_sessions,
                to_usize(options.max_fetch_session_bytes.as_u64()),
                Random::system(),
            ),
            metrics: Metrics::new(),
            quotas: QuotaMeters::new(access.quotas().clone(), Arc::clone(&clock)),
            log_limit: LogLimit::default(),
            options,
            broker,
            access,
            clock,
        });
        Ok((Self { listeners, node, tasks, slots, addresses, tls, token_keys }, handle))
    }

    /// Accepts until `stop`. Connections outlive this call: each finishes what it began and then ends, and the
    /// task group waits for that.
    pub async fn run(self, stop: Stop) {
        if let Some(tls) = &self.tls {
            let watch = tls.clone().watch(stop.clone());
            self.tasks.spawn("kafka certificate", OnError::Log, async move {
                watch.await;
                Ok(())
            });
        }
        if let Some(keys) = &self.token_keys {
            let watch = keys.clone().watch(stop.clone());
            self.tasks.spawn("kafka token keys", OnError::Log, async move {
                watch.await;
                Ok(())
            });
        }
        join_all(self.listeners.iter().map(|listener| self.accept(listener, &stop))).await;
        info!("the Kafka listeners are closed");
    }

    async fn accept(&self, listener: &Listener, stop: &Stop) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.requested() => return,
                accepted = listener.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(listener, stream, peer, stop),
                Err(error) => {
                    if let Some(left_out) = self.node.may_log(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) {
                        warn!(%error, left_out, "cannot accept Kafka connections");
                    }
                    tokio::time::sleep(PAUSE_AFTER_FAILED_ACCEPT).await;
                }
            }
        }
    }

    /// Serves a client, or turns it away if there are too many.
    fn admit(&self, listener: &Listener, stream: TcpStream, peer: SocketAddr, stop: &Stop) {
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
        if let Err(delay) = self.node.quotas.connect(peer.ip()) {
            self.keep_waiting(stream, delay, (slot, connection), stop);
            return;
        }
        // It was gone before we looked.
        let Ok(local) = prepare(&stream) else { return };
        let arrival = Arrival {
            node: Arc::clone(&self.node),
            listener: Arc::clone(&listener.info),
            rules: listener.rules.clone(),
            peer,
            local,
            connection,
            slot,
            stop: stop.clone(),
        };
        match listener.tls.clone() {
            None => self.tasks.spawn_quiet(arrival.serve(stream)),
            Some(tls) => self.tasks.spawn_quiet(arrival.serve_encrypted(stream, tls)),
        }
    }
}

impl Service {
    /// Keeps a client waiting whose address opens connections faster than its quota allows, and lets it go then (KIP-612): who
    /// tries again at once would be back at once. Its `places` count meanwhile.
    fn keep_waiting(
        &self,
        stream: TcpStream,
        delay: Duration,
        places: (OwnedSemaphorePermit, AddressConnection),
        stop: &Stop,
    ) {
        self.node.metrics.throttled(QuotaKey::ConnectionCreationRate, delay);
        let stop = stop.clone();
        self.tasks.spawn_quiet(async move {
            tokio::select! {
                () = stop.requested() => {}
                () = tokio::time::sleep(delay) => {}
            }
            drop((stream, places));
        });
    }
}

impl Listener {
    fn bind(
        options: &ListenerOptions,
        authorizer: impl Fn(SocketAddr) -> Arc<dyn Authorizer>,
        tls: Option<&TlsServer>,
        rules: &LoginRules,
    ) -> Result<Self, BindError> {
        let address = options.listen;
        let socket = listen(address).map_err(|source| BindError::Listen { address, source })?;
        let info = ListenerInfo {
            name: options.name.clone(),
            advertised: options.advertised.clone(),
            authorizer: authorizer(address),
        };
        let tls = tls.filter(|_| options.security.is_encrypted()).cloned();
        let rules = options.security.has_logins().then(|| rules.clone());
        Ok(Self { socket, info: Arc::new(info), tls, rules })
    }
}

/// A client that was let in, before anything is known of it.
struct Arrival {
    node: Arc<Node>,
    listener: Arc<ListenerInfo>,
    rules: Option<LoginRules>,
    peer: SocketAddr,
    local: SocketAddr,
    connection: AddressConnection,
    slot: OwnedSemaphorePermit,
    stop: Stop,
}

impl Arrival {
    async fn serve(self, stream: TcpStream) {
        let node = Arc::clone(&self.node);
        let _counted = node.metrics.open_connection();
        let stop = self.stop.clone();
        let (session, _slot) = self.into_session(None);
        Connection::new(stream, session).run(&stop).await;
    }

    async fn serve_encrypted(self, stream: TcpStream, tls: TlsServer) {
        let node = Arc::clone(&self.node);
        let _counted = node.metrics.open_connection();
        let stop = self.stop.clone();
        let shaken = tokio::select! {
            biased;
            () = stop.requested() => return,
            shaken = Box::pin(tls.accept(stream, ClientAddress::from(self.peer.ip()))) => shaken,
        };
        let stream = match shaken {
            Ok(stream) => stream,
            Err(error) => {
                if let Some(left_out) = node.may_log(self.peer.ip()) {
                    warn!(peer = %self.peer, listener = self.listener.name, %error, left_out, "closed a connection");
                }
                return;
            }
        };
        let (session, _slot) = self.into_session(client_name(&stream));
        Connection::new(stream, session).run(&stop).await;
    }

    /// The session of a client that has shown a certificate of this name, if it has. Where clients log in, they are who they log in
    /// as, as in Kafka.
    fn into_session(self, certificate: Option<String>) -> (Arc<Session>, OwnedSemaphorePermit) {
        let authentication = match (self.rules, certificate) {
            (Some(rules), _) => Authentication::awaited(rules),
            (None, Some(name)) => Authentication::of(Principal::new(format!("User:{name}"))),
            (None, None) => Authentication::of(Principal::anonymous()),
        };
        let Self { node, listener, peer, local, connection, slot, .. } = self;
        let (unsynced, throttle) = (Arc::default(), Throttle::default());
        let session = Session { node, listener, authentication, peer, connection, local, unsynced, throttle };
        (Arc::new(session), slot)
    }
}

/// What is asked of those who log in, on each listener where they do.
fn login_rules(
    options: &Options,
    identity: Identity,
    clock: &SharedClock,
) -> Result<(LoginRules, Option<TokenKeys>), KeysError> {
    let sasl = options.sasl.clone().unwrap_or_default();
    let Identity { users, passwords, secret, random } = identity;
    let mut logins = Logins::new(users, passwords, secret, random);
    let mut token_keys = None;
    if let Some(tokens) = sasl.oauthbearer.filter(|_| sasl.mechanisms.contains(&Mechanism::OAuthBearer)) {
        let keys = TokenKeys::open(&tokens.jwks)?;
        logins = logins.with_tokens(tokens, keys.clone(), Arc::clone(clock));
        token_keys = Some(keys);
    }
    let rules =
        LoginRules { logins, mechanisms: sasl.mechanisms, reauthenticate_after: sasl.reauthenticate_after };
    Ok((rules, token_keys))
}

/// Sets the socket up and tells which address the client reached.
fn prepare(stream: &TcpStream) -> io::Result<SocketAddr> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 6);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
    stream.local_addr()
}
