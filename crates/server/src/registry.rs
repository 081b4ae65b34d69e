//! The registry at a server's start: topic `_schemas` is read, and read again until the log answers.
//!
//! **Invariants:** a registry that could not be read keeps the server from nothing else, and is a problem that is said until it
//! could. What it does not know meanwhile, it refuses: records of events with a contract, ids, subjects.
//!
//! **Not here:** what is read again before a change (`factum-eventlog`).

mod note;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::Stop;
use factum_eventlog::EventLog;
use factum_registry::{Registry, StoreError, TOPIC};
use parking_lot::RwLock;
use tracing::{error, info};

use self::note::RegistryNote;

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
    /// Read; and what is lost, if anything is.
    Done(Option<String>),
}

/// The registry of a server, which has read what is on the log, or does so in the background.
pub(crate) struct RegistryStart {
    pub(crate) registry: Registry,
    pub(crate) health: RegistryHealth,
    reading: RegistryReading,
}

/// What reading it takes.
#[derive(Clone)]
struct RegistryReading {
    registry: Registry,
    health: RegistryHealth,
    note: Arc<RegistryNote>,
}

impl RegistryStart {
    /// Reads the registry; ids that were given are noted in `data_dir` from then on.
    pub(crate) async fn new(log: Arc<dyn EventLog>, data_dir: &Path, accepts_damage: bool) -> Self {
        let (registry, health) = (Registry::new(log), RegistryHealth::default());
        let note = Arc::new(RegistryNote::open(data_dir, accepts_damage));
        // Before anything is read, as a client may be the one who has it read.
        note.raise(&registry);
        let noted = Arc::clone(&note);
        registry.note_changes(move |given| noted.add(given));
        let reading = RegistryReading { registry: registry.clone(), health: health.clone(), note };
        reading.read().await;
        Self { registry, health, reading }
    }

    /// What reads until the log answers or `stop`; `None` where it has answered.
    pub(crate) fn rest(&self, stop: Stop) -> Option<impl Future<Output = ()> + Send + 'static> {
        (!self.health.is_ready()).then(|| self.reading.clone().keep_reading(stop))
    }
}

impl RegistryReading {
    /// Reads what is on the log; whether it could be read.
    async fn read(&self) -> bool {
        let reading = match self.registry.read().await {
            Ok(unreadable) => {
                let given = self.registry.given_ids().await;
                let (note, registry) = (Arc::clone(&self.note), self.registry.clone());
                let judge = move || note.judge(&registry, &given, &unreadable);
                Reading::Done(
                    tokio::task::spawn_blocking(judge).await.expect("looking for damage does not panic"),
                )
            }
            Err(source) => {
                // Once, and not at every attempt.
                if matches!(*self.health.0.read(), Reading::Waiting) {
                    error!(error = &source as &dyn std::error::Error, "schemas cannot be read");
                }
                Reading::Failed(in_words(&source))
            }
        };
        *self.health.0.write() = reading;
        self.health.is_ready()
    }

    async fn keep_reading(self, stop: Stop) {
        loop {
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(RETRY) => {}
            }
            if self.read().await {
                info!("schemas were read");
                return;
            }
        }
    }
}

impl RegistryHealth {
    /// Whether the registry knows what is on the log.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(*self.0.read(), Reading::Done(_))
    }

    /// What is wrong.
    pub(crate) fn problems(&self) -> Vec<String> {
        match &*self.0.read() {
            Reading::Waiting => vec![format!("topic {TOPIC} is not read yet")],
            Reading::Failed(reason) => vec![reason.clone()],
            Reading::Done(lost) => lost.iter().cloned().collect(),
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
