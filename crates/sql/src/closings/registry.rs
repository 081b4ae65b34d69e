//! Finds the closings of a kind of windows: one of each, however many tasks go by them.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use factum_types::TopicId;
use tokio::sync::Mutex;

use super::{ClosingTopic, ClosingTopicError, Closings, WindowKind};

/// Those that tasks go by now.
pub(crate) struct ClosingRegistry {
    topic: Arc<ClosingTopic>,
    shared: Mutex<HashMap<String, Weak<Closings>>>,
}

impl ClosingRegistry {
    pub(crate) fn new(topic: ClosingTopic) -> Self {
        Self { topic: Arc::new(topic), shared: Mutex::default() }
    }

    /// The closings of `kind` over the topic with this id; they are read from the log if no task goes by them yet.
    ///
    /// # Errors
    /// [`ClosingTopicError`].
    pub(crate) async fn find(
        &self,
        kind: &WindowKind,
        topic: TopicId,
    ) -> Result<Arc<Closings>, ClosingTopicError> {
        let mut shared = self.shared.lock().await;
        let key = kind.key(topic);
        if let Some(closings) = shared.get(&key).and_then(Weak::upgrade) {
            return Ok(closings);
        }
        let closings = Arc::new(Closings::read(Arc::clone(&self.topic), kind.clone(), topic).await?);
        shared.retain(|_, others| others.strong_count() > 0);
        shared.insert(key, Arc::downgrade(&closings));
        Ok(closings)
    }
}
