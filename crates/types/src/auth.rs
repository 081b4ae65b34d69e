//! The security seam: who asks, to do what, with which thing.
//!
//! Every handler of every protocol asks [`Authorizer::check`] before it acts. What the answer rests on
//! (open on loopback in `dev`, policies elsewhere) is decided where the server is wired.

use std::fmt;
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
    /// Change its configuration.
    Alter,
    /// See its configuration.
    DescribeConfigs,
    /// Obtain a producer id.
    IdempotentWrite,
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
            Self::IdempotentWrite => "write idempotently to",
        })
    }
}

/// What is acted on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource<'a> {
    /// The whole of this Factum: listing, creating, metrics.
    Cluster,
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

    /// The team that owns a definition, which its name says; `None` for a bare name, and for what is no definition.
    pub fn owner(&self) -> Option<&'a str> {
        match self {
            Self::Definition { name, .. } => name.split_once('.').map(|(team, _)| team),
            Self::Cluster | Self::Topic(_) | Self::Group(_) | Self::TransactionalId(_) => None,
        }
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => f.write_str("the cluster"),
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

/// Decides. Called on every request, so it must be quick and must not block.
pub trait Authorizer: Send + Sync + 'static {
    /// Whether `principal` may do `action` with `resource`.
    ///
    /// # Errors
    /// [`AccessDeniedError`] when it may not.
    fn check(
        &self,
        principal: &Principal,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError>;
}

/// Allows everything: `dev` on loopback, where the start-up block says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

impl Authorizer for AllowAll {
    fn check(&self, _: &Principal, _: Action, _: Resource<'_>) -> Result<(), AccessDeniedError> {
        Ok(())
    }
}

/// Allows Factum itself and no one else: the default outside `dev`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DenyAll;

impl Authorizer for DenyAll {
    fn check(
        &self,
        principal: &Principal,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        if *principal == Principal::system() {
            return Ok(());
        }
        Err(AccessDeniedError { principal: principal.clone(), action, resource: resource.to_string() })
    }
}
