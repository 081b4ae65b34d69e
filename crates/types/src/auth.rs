//! The security seam: who asks, to do what, with which thing.
//!
//! Every handler of every protocol asks [`Authorizer::check`] before it acts. What the answer rests on
//! (open on loopback in `dev`, policies elsewhere) is decided where the server is wired.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::{GroupId, TopicName, TransactionalId};

/// Who sends a request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Principal(Arc<str>);

impl Principal {
    /// A principal by name, such as `User:alice`.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Anyone who reached a listener that asks for no identity.
    pub fn anonymous() -> Self {
        Self::new("User:ANONYMOUS")
    }

    /// Factum itself: applying a project, keeping its own topics.
    pub fn system() -> Self {
        Self::new("System:factum")
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A principal, and where it asks from: rules may be for one host alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Client<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The address that the request came from; `None` from within this process.
    pub address: Option<IpAddr>,
}

impl<'a> Client<'a> {
    /// A principal at `address`.
    pub fn at(principal: &'a Principal, address: IpAddr) -> Self {
        Self { principal, address: Some(address) }
    }
}

impl<'a> From<&'a Principal> for Client<'a> {
    /// The principal within this process.
    fn from(principal: &'a Principal) -> Self {
        Self { principal, address: None }
    }
}

/// What a principal asks to do; the words are those of Kafka's ACLs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// See that it exists and what it is like.
    Describe,
    /// Read records, or use a group.
    Read,
    /// Append records, or use a transactional id.
    Write,
    /// Bring it into being.
    Create,
    /// Remove it.
    Delete,
    /// Change what it is.
    Alter,
    /// See its configuration.
    DescribeConfigs,
    /// Change its configuration.
    AlterConfigs,
    /// Do what brokers do among themselves.
    ClusterAction,
    /// Obtain a producer id.
    IdempotentWrite,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 10] = [
        Self::Describe,
        Self::Read,
        Self::Write,
        Self::Create,
        Self::Delete,
        Self::Alter,
        Self::DescribeConfigs,
        Self::AlterConfigs,
        Self::ClusterAction,
        Self::IdempotentWrite,
    ];
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Describe => "describe",
            Self::Read => "read",
            Self::Write => "write",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Alter => "alter",
            Self::DescribeConfigs => "describe the configuration of",
            Self::AlterConfigs => "alter the configuration of",
            Self::ClusterAction => "act as a broker of",
            Self::IdempotentWrite => "write idempotently to",
        })
    }
}

/// What is acted on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource<'a> {
    /// The whole of this Factum: listing, creating, metrics.
    Cluster,
    /// Its users, access rules and quotas. Rules about the cluster are about them too; what is open for want of rules is not.
    AccessRules,
    /// At least one topic, view or table, whichever: asked before it is known which.
    AnyTopic,
    /// One topic, whether it exists or not.
    Topic(&'a TopicName),
    /// One consumer group.
    Group(&'a GroupId),
    /// One transactional producer, by its own name for itself, whether it was ever here or not.
    TransactionalId(&'a TransactionalId),
    /// One definition of a project or what it stands for, whether it exists or not: `view store.top_movies`.
    Definition {
        /// The word for its kind, in the singular: `view`, `table`, `dashboard`.
        kind: &'a str,
        /// `<team>.<name>`; the bare name where that is all that was asked for and is not looked up yet.
        name: &'a str,
    },
}

impl<'a> Resource<'a> {
    /// A view.
    pub fn view(name: &'a str) -> Self {
        Self::Definition { kind: "view", name }
    }

    /// A reference table.
    pub fn table(name: &'a str) -> Self {
        Self::Definition { kind: "table", name }
    }

    /// A dashboard.
    pub fn dashboard(name: &'a str) -> Self {
        Self::Definition { kind: "dashboard", name }
    }

    /// A subject of the schema registry, by the name of the topic that it is of.
    pub fn subject(name: &'a str) -> Self {
        Self::Definition { kind: "subject", name }
    }

    /// The team that owns a definition, which its name says; `None` for a bare name, and for what is no definition.
    pub fn owner(&self) -> Option<&'a str> {
        match self {
            Self::Definition { name, .. } => name.split_once('.').map(|(team, _)| team),
            Self::Cluster
            | Self::AccessRules
            | Self::AnyTopic
            | Self::Topic(_)
            | Self::Group(_)
            | Self::TransactionalId(_) => None,
        }
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster | Self::AccessRules => f.write_str("the cluster"),
            Self::AnyTopic => f.write_str("any topic"),
            Self::Topic(name) => write!(f, "topic {name}"),
            Self::Group(id) => write!(f, "group {id}"),
            Self::TransactionalId(id) => write!(f, "transactional id {id}"),
            Self::Definition { kind, name } => write!(f, "{kind} {name}"),
        }
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{principal} may not {action} {resource}")]
pub struct AccessDeniedError {
    /// Who asked.
    pub principal: Principal,
    /// To do what.
    pub action: Action,
    /// With which thing, in words.
    pub resource: String,
}

impl AccessDeniedError {
    /// The refusal of `action` with `resource` to `client`.
    pub fn new(client: Client<'_>, action: Action, resource: Resource<'_>) -> Self {
        Self { principal: client.principal.clone(), action, resource: resource.to_string() }
    }
}

/// Decides. Called on every request, so it must be quick and must not block.
pub trait Authorizer: Send + Sync + 'static {
    /// Whether `client` may do `action` with `resource`.
    ///
    /// # Errors
    /// [`AccessDeniedError`] when it may not.
    fn check(
        &self,
        client: Client<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError>;
}

/// Allows everything: `dev` on loopback, where the start-up block says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

impl Authorizer for AllowAll {
    fn check(&self, _: Client<'_>, _: Action, _: Resource<'_>) -> Result<(), AccessDeniedError> {
        Ok(())
    }
}

/// Allows Factum itself and no one else: the default outside `dev`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DenyAll;

impl Authorizer for DenyAll {
    fn check(
        &self,
        client: Client<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        if *client.principal == Principal::system() {
            return Ok(());
        }
        Err(AccessDeniedError::new(client, action, resource))
    }
}
