//! Errors of administering topics and groups.

use factum_types::{GroupId, TopicName};

/// Why an administrative request failed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No topic has this name.
    #[error("there is no topic {topic}")]
    UnknownTopic {
        /// The name asked for.
        topic: TopicName,
    },
    /// There is a topic of this name whose records are out of reach: its directory is damaged or gone.
    #[error("topic {topic} cannot be used: {reason}")]
    UnusableTopic {
        /// The name asked for.
        topic: TopicName,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A topic has this name already.
    #[error("topic {topic} exists already")]
    TopicExists {
        /// The name asked for.
        topic: TopicName,
    },
    /// Something that is no topic has the name.
    #[error(
        "{owner} has the name {topic}: topics, views and tables share one space of names; give the topic another name"
    )]
    NameTaken {
        /// The name asked for.
        topic: TopicName,
        /// What has it: "view store.top_movies".
        owner: String,
    },
    /// The name is reserved: the server keeps its own records there.
    #[error("topic {topic} is reserved for the server itself")]
    ReservedTopic {
        /// The name asked for.
        topic: TopicName,
    },
    /// The name is reserved: the server's own tasks keep their positions there.
    #[error("group {group} is reserved for the server itself")]
    ReservedGroup {
        /// The name asked for.
        group: GroupId,
    },
    /// No group has this name.
    #[error("there is no group {group}")]
    UnknownGroup {
        /// The name asked for.
        group: GroupId,
    },
    /// The group has members; stop them first.
    #[error("group {group} has {members} members; stop them first")]
    GroupInUse {
        /// The group.
        group: GroupId,
        /// How many members it has.
        members: usize,
    },
    /// The request contradicts a rule of the log.
    #[error("{reason}")]
    Invalid {
        /// What is wrong, with the value.
        reason: String,
    },
    /// The log cannot answer now.
    #[error("the log is not available: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

impl AdminError {
    /// Whether the same request can succeed later with no change to it.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::UnusableTopic { .. })
    }
}
