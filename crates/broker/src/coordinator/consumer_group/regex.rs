//! Subscriptions by regular expression: the topics that a pattern matches, and those of them that a member may know of.
//!
//! ```text
//!   a pattern ─▶ matched beside the group, on a thread for blocking work ─▶ all topics that it matches
//!                                                                      └─▶ a view: those that its member may see
//! ```
//!
//! **Invariants:** members with the same pattern may have different rights: those of each principal have a view of their own,
//! which changes for all of them at once, and are assigned nothing beyond it. What the group keeps of a pattern (and stores, as Kafka does) is what any of its members sees.
//!
//! **Not here:** what a pattern may be, and what it may cost (see [`factum_base::name_pattern`]).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use factum_base::name_pattern::NamePattern;
use factum_types::TopicName;

use super::directory::TopicDirectory;
use super::heartbeat::is_outdated;
use super::member::JOIN_EPOCH;
use super::{ConsumerGroup, PartitionSet};
use crate::coordinator::{ConsumerHeartbeat, CoordinatorError};

/// All topics that a pattern matches, whether or not a member may know of them.
#[derive(Debug, Clone)]
pub(crate) struct MatchedTopics {
    pub(crate) pattern: String,
    /// In order.
    pub(crate) topics: Vec<TopicName>,
    /// The directory's version that they are of.
    pub(crate) version: u64,
}

impl MatchedTopics {
    /// Compiles `pattern` and matches it with every topic. Takes long: not for a thread that serves others.
    ///
    /// # Errors
    /// [`CoordinatorError::InvalidRegex`] if it is no pattern, or too large.
    pub(crate) fn of(pattern: String, directory: &dyn TopicDirectory) -> Result<Self, CoordinatorError> {
        let invalid = |error: factum_base::name_pattern::NamePatternError| CoordinatorError::InvalidRegex {
            reason: error.to_string(),
        };
        let compiled = NamePattern::new(&pattern).map_err(invalid)?;
        let version = directory.version();
        let mut topics = directory.names();
        topics.retain(|topic| compiled.matches(topic.as_str()));
        topics.sort_unstable();
        Ok(Self { pattern, topics, version })
    }
}

/// The topics of a member's pattern that it may know of.
#[derive(Debug, Clone)]
pub(super) struct RegexView {
    pub(super) pattern: String,
    /// Whose rights they go by.
    pub(super) principal: Arc<str>,
    /// In order; one list for all members of the pattern that see the same.
    pub(super) topics: Arc<[TopicName]>,
    /// The directory's version that they are of, and when it was asked.
    pub(super) seen: (u64, Instant),
}

impl RegexView {
    /// Whether it is of the same pattern and the same rights.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.pattern == other.pattern && self.principal == other.principal
    }
}

impl ConsumerGroup {
    /// The pattern that must be matched before this heartbeat can be heard: that of a member that joins, a new one, or one
    /// whose topics may have changed.
    pub(crate) fn pattern_to_match(
        &self,
        request: &ConsumerHeartbeat,
        directory: &dyn TopicDirectory,
        now: Instant,
    ) -> Option<String> {
        let holder = request.instance_id.as_deref().and_then(|instance| self.holder(instance));
        let member = self.members.get(&request.member_id).or(holder.map(|(_, member)| member));
        if member.is_none() && request.member_epoch != JOIN_EPOCH || request.member_epoch < JOIN_EPOCH {
            return None;
        }
        let known = member.and_then(|member| member.metadata.as_ref()?.regex.clone());
        let pattern = request.subscribed_regex.clone().or(known).filter(|pattern| !pattern.is_empty())?;
        let view = member.and_then(|member| member.view_of(&pattern));
        let is_fresh = view.is_some_and(|view| !is_outdated(Some(view.seen), directory, now));
        (request.member_epoch == JOIN_EPOCH || !is_fresh).then_some(pattern)
    }

    /// What a member is taken to see that was not heard of since the start: of what the group knows of the pattern, the topics
    /// that it is to have. So it loses none, and gets none that it may not know of.
    pub(super) fn assumed_view(&self, pattern: &str, target: &PartitionSet) -> Vec<TopicName> {
        let Some(known) = self.regexes.get(pattern) else { return Vec::new() };
        let topics: BTreeSet<_> = target.iter().map(|(topic, _)| topic).collect();
        let names = topics.iter().filter_map(|id| self.topics.get(id)).map(|topic| &topic.name);
        let mut names: Vec<_> =
            names.filter(|name| known.topics.binary_search(name).is_ok()).cloned().collect();
        names.sort_unstable();
        names
    }
}
