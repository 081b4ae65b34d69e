//! Automatic creation of topics at their first use.
//!
//! Kafka creates a topic when it is first used. Where a project says which topics there are, a name that it does not
//! have is a misspelling more often than a new topic; creating it would acknowledge events that have no reader.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use factum_types::TopicName;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracing::warn;

/// A name is told once; beyond so many names no more are, so that a client that makes names up does not fill the log.
const MOST_NAMES_TOLD: usize = 100;

/// When a topic that is missing is created by its first use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutoCreateTopics {
    /// It is never created.
    #[default]
    Never,
    /// It is created as long as no project is applied.
    WithoutProject,
    /// It is always created.
    Always,
}

type HasProject = Box<dyn Fn() -> bool + Send + Sync>;

/// The setting, and what it depends on.
pub(crate) struct AutoCreate {
    setting: AutoCreateTopics,
    has_project: OnceLock<HasProject>,
    told: Mutex<BTreeSet<TopicName>>,
}

impl AutoCreate {
    pub(crate) fn new(setting: AutoCreateTopics) -> Self {
        Self { setting, has_project: OnceLock::new(), told: Mutex::default() }
    }

    /// Has `has_project` asked from now on; the first one given stays.
    pub(crate) fn follow_project(&self, has_project: HasProject) {
        self.has_project.get_or_init(|| has_project);
    }

    pub(crate) fn is_allowed(&self) -> bool {
        match self.setting {
            AutoCreateTopics::Never => false,
            AutoCreateTopics::WithoutProject => !self.has_project.get().is_some_and(|has| has()),
            AutoCreateTopics::Always => true,
        }
    }

    /// Tells the operator of a topic that was used and not created because of the project: a Kafka client only waits
    /// for it and cannot say why.
    pub(crate) fn note_refused(&self, topic: &TopicName) {
        if self.setting != AutoCreateTopics::WithoutProject {
            return;
        }
        let mut told = self.told.lock();
        if told.len() < MOST_NAMES_TOLD && told.insert(topic.clone()) {
            warn!(%topic, "a client writes to a topic that does not exist, and that the project does not name: it is not created");
        }
    }
}
