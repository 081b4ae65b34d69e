//! On whose behalf topics are written, made, changed and deleted.

use factum_types::TopicName;

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Any client: reserved topics are out of its reach.
    Client,
    /// Another part of the server, which keeps its records in a reserved topic.
    Server,
}

impl Access {
    /// Whether the topic may be written, made, changed and deleted.
    pub(crate) fn reaches(self, topic: &TopicName) -> bool {
        self == Self::Server || !topic.is_internal()
    }
}
