//! An access rule, as Kafka's ACLs (KIP-11, KIP-290): who may or may not do what with which resources, and from where.
//!
//! **Not here:** which rule wins (see [`crate::Acls`]), and the numbers that Kafka's wire has for these words.

mod filter;
mod filter_set;
mod host;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use factum_types::Action;

pub use filter::{AclFilter, PatternFilter};
pub use filter_set::AclFilterSet;
pub use host::Host;

/// The name of the one resource of type cluster, as in Kafka.
pub const CLUSTER: &str = "kafka-cluster";
/// The name that stands for every resource of a type, in a literal pattern.
pub const ANY_NAME: &str = "*";
/// The principal that stands for every principal.
pub const ANY_PRINCIPAL: &str = "User:*";

/// Bytes of a resource's name. Names of topics end at 249, those of groups and transactional ids at 255.
pub const MAX_RESOURCE_BYTES: usize = 1024;
/// Bytes of a principal. Distinguished names of certificates are long.
pub const MAX_PRINCIPAL_BYTES: usize = 1024;

/// Words for the values of a type: what they are called, and what is said of them.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $noun:literal { $($(#[$of:meta])* $variant:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name {
            $($(#[$of])* $variant,)*
        }

        impl $name {
            /// Every one, in Kafka's order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = AclError;

            /// The one of that name, in letters of either case, with `-` or `_` or nothing between words.
            fn from_str(text: &str) -> Result<Self, AclError> {
                let wanted = plain(text);
                let found = Self::ALL.iter().copied().find(|each| plain(each.name()) == wanted);
                found.ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|each| each.name()).collect();
                    AclError::Word { noun: $noun, text: cut(text), known: known.join(", ") }
                })
            }
        }
    };
}

words! {
    /// What a rule is about.
    ResourceType, "resource type" {
        /// Topics; also views, tables and dashboards, by `<team>.<name>`.
        Topic "topic",
        /// Consumer groups.
        Group "group",
        /// The whole of this Factum; its one name is [`CLUSTER`].
        Cluster "cluster",
        /// Transactional producers.
        TransactionalId "transactional_id",
        /// Delegation tokens, which Factum does not issue: such rules are kept and have no effect.
        DelegationToken "delegation_token",
        /// Users whose delegation tokens others make, likewise.
        User "user",
    }
}

words! {
    /// How a rule's name is compared with a resource's.
    PatternType, "pattern type" {
        /// They are equal; the name [`ANY_NAME`] is equal to all.
        Literal "literal",
        /// The resource's begins with the rule's.
        Prefixed "prefixed",
    }
}

words! {
    /// What is done, in the words of Kafka's `AclOperation`.
    Operation, "operation" {
        /// Everything.
        All "all",
        /// Read records, use a group.
        Read "read",
        /// Append records, use a transactional id.
        Write "write",
        /// Bring it into being.
        Create "create",
        /// Remove it, or its records.
        Delete "delete",
        /// Change what it is.
        Alter "alter",
        /// See that it exists and what it is like.
        Describe "describe",
        /// What brokers do among themselves.
        ClusterAction "cluster_action",
        /// See its configuration.
        DescribeConfigs "describe_configs",
        /// Change its configuration.
        AlterConfigs "alter_configs",
        /// Obtain a producer id.
        IdempotentWrite "idempotent_write",
        /// Make delegation tokens; has no effect.
        CreateTokens "create_tokens",
        /// See delegation tokens; has no effect.
        DescribeTokens "describe_tokens",
        /// Prepare transactions for another coordinator (KIP-939); has no effect.
        TwoPhaseCommit "two_phase_commit",
    }
}

words! {
    /// Whether a rule allows or denies.
    Permission, "permission" {
        /// It denies: whatever allows the same is overruled.
        Deny "deny",
        /// It allows.
        Allow "allow",
    }
}

impl From<Action> for Operation {
    fn from(action: Action) -> Self {
        match action {
            Action::Describe => Self::Describe,
            Action::Read => Self::Read,
            Action::Write => Self::Write,
            Action::Create => Self::Create,
            Action::Delete => Self::Delete,
            Action::Alter => Self::Alter,
            Action::DescribeConfigs => Self::DescribeConfigs,
            Action::AlterConfigs => Self::AlterConfigs,
            Action::ClusterAction => Self::ClusterAction,
            Action::IdempotentWrite => Self::IdempotentWrite,
        }
    }
}

impl Operation {
    /// The operations of which a rule that allows one allows this too: itself, all, and what cannot be done without it.
    pub fn allowed_by(self) -> &'static [Self] {
        match self {
            Self::All => &[Self::All],
            Self::Read => &[Self::Read, Self::All],
            Self::Write => &[Self::Write, Self::All],
            Self::Create => &[Self::Create, Self::All],
            Self::Delete => &[Self::Delete, Self::All],
            Self::Alter => &[Self::Alter, Self::All],
            Self::Describe => {
                &[Self::Describe, Self::Read, Self::Write, Self::Delete, Self::Alter, Self::All]
            }
            Self::ClusterAction => &[Self::ClusterAction, Self::All],
            Self::DescribeConfigs => &[Self::DescribeConfigs, Self::AlterConfigs, Self::All],
            Self::AlterConfigs => &[Self::AlterConfigs, Self::All],
            Self::IdempotentWrite => &[Self::IdempotentWrite, Self::All],
            Self::CreateTokens => &[Self::CreateTokens, Self::All],
            Self::DescribeTokens => &[Self::DescribeTokens, Self::All],
            Self::TwoPhaseCommit => &[Self::TwoPhaseCommit, Self::All],
        }
    }
}

/// Which resources a rule is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ResourcePattern {
    /// Their type.
    pub resource_type: ResourceType,
    /// How `name` is meant.
    pub pattern_type: PatternType,
    /// Their name, or what it begins with.
    pub name: Arc<str>,
}

/// One rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Acl {
    /// Which resources it is about.
    pub resource: ResourcePattern,
    /// Whom it is about, such as `User:alice`; [`ANY_PRINCIPAL`] is everyone.
    pub principal: Arc<str>,
    /// Where from.
    pub host: Host,
    /// What is done.
    pub operation: Operation,
    /// Whether it may be.
    pub permission: Permission,
}

impl Acl {
    /// Checks what its types do not say.
    ///
    /// # Errors
    /// [`AclError`], naming the rule of Kafka or the limit that it breaks.
    pub fn check(&self) -> Result<(), AclError> {
        let name = &*self.resource.name;
        if name.is_empty() {
            return Err(AclError::NoName);
        }
        if name.len() > MAX_RESOURCE_BYTES {
            return Err(AclError::LongName { length: name.len() });
        }
        if self.resource.resource_type == ResourceType::Cluster && name != CLUSTER {
            return Err(AclError::ClusterName { name: cut(name) });
        }
        check_principal(&self.principal)
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, principal, host, operation, permission } = self;
        let ResourcePattern { resource_type, pattern_type, name } = resource;
        write!(f, "{permission} {principal} from {host} {operation} {resource_type} {pattern_type} {name}")
    }
}

/// Checks a principal of a rule, `<type>:<name>`.
///
/// # Errors
/// [`AclError::Principal`] or [`AclError::LongPrincipal`].
pub fn check_principal(principal: &str) -> Result<(), AclError> {
    if principal.len() > MAX_PRINCIPAL_BYTES {
        return Err(AclError::LongPrincipal { length: principal.len() });
    }
    match principal.split_once(':') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(()),
        _ => Err(AclError::Principal { text: cut(principal) }),
    }
}

/// Why a rule cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AclError {
    /// A word is none that is known.
    #[error("unknown {noun} {text:?}: one of {known}")]
    Word {
        /// What it was to be.
        noun: &'static str,
        /// What it is.
        text: String,
        /// What would do.
        known: String,
    },
    /// No name.
    #[error("the resource's name is empty; {ANY_NAME} is every resource of the type")]
    NoName,
    /// A name over the limit.
    #[error("the resource's name has {length} bytes: at most {MAX_RESOURCE_BYTES}")]
    LongName {
        /// Its bytes.
        length: usize,
    },
    /// A cluster of another name.
    #[error("the cluster is called {CLUSTER}, not {name:?}")]
    ClusterName {
        /// The name.
        name: String,
    },
    /// No principal.
    #[error(
        "{text:?} is no principal: write <type>:<name>, such as User:alice, or {ANY_PRINCIPAL} for everyone"
    )]
    Principal {
        /// What it is.
        text: String,
    },
    /// A principal over the limit.
    #[error("the principal has {length} bytes: at most {MAX_PRINCIPAL_BYTES}")]
    LongPrincipal {
        /// Its bytes.
        length: usize,
    },
    /// A host that no client can have.
    #[error("{text:?} is no host: write an IP address, or * for every one")]
    Host {
        /// What it is.
        text: String,
    },
}

/// Letters alone, in lower case.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).take(64).collect()
}

/// What is said of text that may be long.
fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}
