//! Settings that a project declares for topics: what a setting goes back to when a client takes its value away.
//!
//! Not here: what a project is. The server is wired with who knows it.

use std::sync::OnceLock;

use factum_types::TopicName;

use crate::TopicConfig;

type SettingsOfTopic = Box<dyn Fn(&TopicName) -> TopicConfig + Send + Sync>;

/// Who knows them, once there is one.
#[derive(Default)]
pub(crate) struct DeclaredSettings(OnceLock<SettingsOfTopic>);

impl DeclaredSettings {
    /// Has `declared` asked from now on; the first one given stays.
    pub(crate) fn ask(&self, declared: SettingsOfTopic) {
        self.0.get_or_init(|| declared);
    }

    /// What is declared for a topic: nothing where no project names it.
    pub(crate) fn of(&self, topic: &TopicName) -> TopicConfig {
        self.0.get().map(|declared| declared(topic)).unwrap_or_default()
    }
}
