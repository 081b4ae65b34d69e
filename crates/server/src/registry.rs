//! The registry at a server's start: topic `_schemas` is read, and read again until the log answers.
//!
//! **Invariants:** a registry that could not be read keeps the server from nothing else, and is a problem that is said until it
//! could. What it does not know meanwhile, it refuses: records of events with a contract, ids, subjects.
//!
//! **Not here:** what is read again before a change (`factum-eventlog`).

use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::Stop;
use factum_eventlog::UnreadableRecords;
use factum_registry::{Registry, StoreError, TOPIC};
use parking_lot::RwLock;
use tracing::{error, info};

/// Between two readings of a log that does not answer.
const RETRY: Duration = Duration::from_secs(2);

/// How far the registry is read; clones see the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegistryHealth(Arc<RwLock<Reading>>);

#[derive(Debug, Default)]
enum Reading {
    /// Not begun.
    #[default]
    Waiting,
    Failed(String),
    /// All but these.
    Done(UnreadableRecords),
}

impl RegistryHealth {
    /// Reads what is on the log; whether it could be read.
    pub(crate) async fn read(&self, registry: &Registry) -> bool {
        let reading = match registry.read().await {
            Ok(unreadable) => {
                if !unreadable.is_empty() {
                    error!(%unreadable, "some schemas cannot be read and are not there");
                }
                Reading::Done(unreadable)
            }
            Err(source) => {
                // Once, and not at every attempt.
                if matches!(*self.0.read(), Reading::Waiting) {
                    error!(error = &source as &dyn std::error::Error, "schemas cannot be read");
                }
                Reading::Failed(in_words(&source))
            }
        };
        let mut known = self.0.write();
        *known = reading;
        matches!(*known, Reading::Done(_))
    }

    /// Reads until the log answers or `stop`.
    pub(crate) async fn keep_reading(self, registry: Registry, stop: Stop) {
        loop {
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(RETRY) => {}
            }
            if self.read(&registry).await {
                info!("schemas were read");
                return;
            }
        }
    }

    /// Whether the registry knows what is on the log.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(*self.0.read(), Reading::Done(_))
    }

    /// What is wrong.
    pub(crate) fn problems(&self) -> Vec<String> {
        match &*self.0.read() {
            Reading::Waiting => vec![format!("topic {TOPIC} is not read yet")],
            Reading::Failed(reason) => vec![reason.clone()],
            Reading::Done(unreadable) if unreadable.is_empty() => Vec::new(),
            Reading::Done(unreadable) => {
                vec![format!(
                    "some records of topic {TOPIC} cannot be read, and have no effect: {unreadable}"
                )]
            }
        }
    }
}

/// The error with its causes; one that says what the last one said, and more, stands in its place.
fn in_words(error: &StoreError) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let reason = cause.to_string();
        words = if reason.starts_with(&words) { reason } else { format!("{words}: {reason}") };
        source = cause.source();
    }
    words
}
