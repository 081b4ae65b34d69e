//! Context of a handler: the node that serves, the listener, and the client that asks.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, LazyLock};

use factum_access::{AccessStore, QuotaMeters};
use factum_base::clients::{ClientAddress, ClientLimit, ClientShare, LogLimit};
use factum_base::clock::SharedClock;
use factum_base::fair_work::FairWork;
use factum_broker::Broker;
use factum_types::auth::{Authorizer, Client};
use factum_types::{Action, GroupId, Principal, Resource, TopicName, TransactionalId};
use tokio::sync::Semaphore;

use super::FetchSessions;
use super::authentication::Authentication;
use super::throttling::Throttle;
use crate::connection::{AddressConnection, Budget, RequestMemory};
use crate::error_code::ErrorCode;
use crate::messages::metadata::OPERATIONS_NOT_ASKED;
use crate::metrics::Metrics;
use crate::options::{Endpoint, Options};

/// Each action with the number of Kafka's `AclOperation`.
const READ: (Action, i32) = (Action::Read, 3);
const WRITE: (Action, i32) = (Action::Write, 4);
const CREATE: (Action, i32) = (Action::Create, 5);
const DELETE: (Action, i32) = (Action::Delete, 6);
const ALTER: (Action, i32) = (Action::Alter, 7);
const DESCRIBE: (Action, i32) = (Action::Describe, 8);
/// What brokers ask of each other.
const CLUSTER_ACTION: (Action, i32) = (Action::ClusterAction, 9);
const DESCRIBE_CONFIGS: (Action, i32) = (Action::DescribeConfigs, 10);
const ALTER_CONFIGS: (Action, i32) = (Action::AlterConfigs, 11);
const IDEMPOTENT_WRITE: (Action, i32) = (Action::IdempotentWrite, 12);

/// What all connections share.
pub(crate) struct Node {
    pub(crate) options: Options,
    pub(crate) broker: Broker,
    /// The users, rules and quotas, for the requests that are about them.
    pub(crate) access: AccessStore,
    /// What clients with quotas use.
    pub(crate) quotas: QuotaMeters,
    pub(crate) clock: SharedClock,
    pub(crate) budget: Arc<Budget>,
    pub(crate) request_memory: Arc<RequestMemory>,
    /// One permit for each search through the log that may read much, of all clients.
    pub(crate) searches: Arc<Semaphore>,
    /// Threads for what would hold up those that serve: patterns, and walks over all access rules.
    pub(crate) side_work: FairWork,
    /// Of one address, one answer at a time that may be very long.
    pub(crate) long_answers: Arc<ClientLimit>,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) metrics: Metrics,
    /// Of lines about clients: what they send must not fill the log.
    pub(crate) log_limit: LogLimit,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("options", &self.options).finish_non_exhaustive()
    }
}

/// What the connections of one listener share.
pub(crate) struct ListenerInfo {
    pub(crate) name: String,
    /// What its clients are told to connect to.
    pub(crate) advertised: Option<Endpoint>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
}

impl fmt::Debug for ListenerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerInfo").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Of a client that has not logged in.
static ANONYMOUS: LazyLock<Principal> = LazyLock::new(Principal::anonymous);

/// One connection's client.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) node: Arc<Node>,
    pub(crate) listener: Arc<ListenerInfo>,
    pub(crate) authentication: Authentication,
    /// Where the client is.
    pub(crate) peer: SocketAddr,
    /// What it shares with the other connections of its address.
    pub(crate) connection: AddressConnection,
    /// The address that the client reached.
    pub(crate) local: SocketAddr,
    /// Partitions that wait to be synced for requests of this connection.
    pub(crate) unsynced: Arc<AtomicUsize>,
    /// How long the connection waits before its next request.
    pub(crate) throttle: Throttle,
}

impl Node {
    /// Whether a line about the client at `address` is to be written to the log; then how many were left out before it.
    pub(crate) fn may_log(&self, address: IpAddr) -> Option<u64> {
        self.log_limit.admit(address, self.clock.monotonic())
    }
}

impl Session {
    pub(super) fn broker(&self) -> &Broker {
        &self.node.broker
    }

    /// Waits until the clients of the address have taken most of what they asked for, and until no other long answer is made for
    /// them: what is held of answers is bounded so, whatever they ask for. The turn is over when it is dropped.
    pub(super) async fn turn_for_long_answer(&self) -> ClientShare {
        let turn = self.node.long_answers.wait(self.client(), 1).await;
        self.node.budget.room_of(&self.connection.address).await;
        turn
    }

    /// Where the client is told to connect to.
    pub(super) fn endpoint(&self) -> Endpoint {
        self.listener.advertised.clone().unwrap_or_else(|| Endpoint::from(self.local))
    }

    pub(super) fn may(&self, action: Action, resource: Resource<'_>) -> bool {
        let client = Client::at(self.principal(), self.peer.ip());
        self.listener.authorizer.check(client, action, resource).is_ok()
    }

    /// Who the client is.
    pub(super) fn principal(&self) -> &Principal {
        self.authentication.principal().unwrap_or(&ANONYMOUS)
    }

    /// What limits of the client go by.
    pub(super) fn client(&self) -> ClientAddress {
        ClientAddress::from(self.peer.ip())
    }

    /// What the client may do with `resource`, as bits of Kafka's ACL operations, if it asked for them (KIP-430).
    /// All that Kafka's `AclEntry.supportedOperations` has for the kind of resource.
    pub(super) fn operations(&self, is_asked: bool, resource: Resource<'_>) -> i32 {
        if !is_asked {
            return OPERATIONS_NOT_ASKED;
        }
        let actions: &[(Action, i32)] = match resource {
            Resource::Cluster => {
                &[CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE]
            }
            Resource::Topic(_) => {
                &[READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS]
            }
            Resource::Group(_) => &[READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS],
            Resource::TransactionalId(_) => &[DESCRIBE, WRITE],
            Resource::Definition { .. } => &[READ, DESCRIBE],
            Resource::AccessRules | Resource::AnyTopic => &[],
        };
        let allowed = actions.iter().filter(|(action, _)| self.may(*action, resource));
        allowed.fold(0, |bits, (_, operation)| bits | 1 << operation)
    }

    /// # Errors
    /// The code that refuses `action` with the cluster.
    pub(super) fn check_cluster(&self, action: Action) -> Result<(), ErrorCode> {
        self.may(action, Resource::Cluster).then_some(()).ok_or(ErrorCode::ClusterAuthorizationFailed)
    }

    /// # Errors
    /// The code that refuses `action` with users and access rules.
    pub(super) fn check_access_rules(&self, action: Action) -> Result<(), ErrorCode> {
        let allowed = self.may(action, Resource::AccessRules);
        allowed.then_some(()).ok_or(ErrorCode::ClusterAuthorizationFailed)
    }

    /// # Errors
    /// The code that refuses `action` with the topic.
    pub(super) fn check_topic(&self, action: Action, topic: &TopicName) -> Result<(), ErrorCode> {
        self.may(action, Resource::Topic(topic)).then_some(()).ok_or(ErrorCode::TopicAuthorizationFailed)
    }

    /// Reads a group's name and asks whether `action` is allowed with it. Those of the server's own tasks can only be looked
    /// at.
    ///
    /// # Errors
    /// `INVALID_GROUP_ID`, or the code that refuses.
    pub(super) fn group(&self, action: Action, id: &str) -> Result<GroupId, ErrorCode> {
        let group = GroupId::new(id).map_err(|_| ErrorCode::InvalidGroupId)?;
        let is_reserved = group.is_internal() && action != Action::Describe;
        match !is_reserved && self.may(action, Resource::Group(&group)) {
            true => Ok(group),
            false => Err(ErrorCode::GroupAuthorizationFailed),
        }
    }
    /// Reads a transactional id and asks whether `action` is allowed with it. Those of the server's own producers can only
    /// be looked at.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, or the code that refuses.
    pub(super) fn transactional_id(&self, action: Action, id: &str) -> Result<TransactionalId, ErrorCode> {
        let id = TransactionalId::new(id).map_err(|_| ErrorCode::InvalidRequest)?;
        let is_reserved = id.is_internal() && action != Action::Describe;
        match !is_reserved && self.may(action, Resource::TransactionalId(&id)) {
            true => Ok(id),
            false => Err(ErrorCode::TransactionalIdAuthorizationFailed),
        }
    }
}
