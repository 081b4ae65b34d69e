//! The generators of a server: those that the project declares, and no others.
//!
//! ```text
//!   Handle::set(feeds) ──► Service ──► one task a feed
//! ```
//!
//! Invariants: a feed that did not change goes on undisturbed; one that changed is started over; one that is gone ends
//! after its batch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use factum_base::clock::SharedClock;
use factum_base::random::Random;
use factum_base::tasks::{BoxError, OnError, Stop, TaskGroup};
use factum_eventlog::EventLog;
use factum_types::units;
use serde::Deserialize;
use tokio::sync::watch;

use crate::generator::{Feed, Generator};

/// What becomes of the feeds that a project declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Whether generators run. They do not unless someone wants them: what they make looks like facts.
    pub generate: bool,
    /// How much of the past a generator makes before anything else where its topic is empty, so that there is
    /// something to look at; at most 100,000 events of it.
    #[serde(with = "units::duration")]
    pub history: Duration,
}

/// Runs generators.
pub struct Service {
    history: Duration,
    log: Arc<dyn EventLog>,
    clock: SharedClock,
    random: Random,
    tasks: TaskGroup,
    wanted: watch::Receiver<Vec<Arc<Feed>>>,
}

/// Says which generators there are. Cloning gives another hand on the same service.
#[derive(Debug, Clone)]
pub struct Handle {
    wanted: watch::Sender<Vec<Arc<Feed>>>,
}

impl Handle {
    /// From now on there are these; no two have one name.
    pub fn set(&self, feeds: Vec<Feed>) {
        let feeds: Vec<Arc<Feed>> = feeds.into_iter().map(Arc::new).collect();
        self.wanted.send_if_modified(|wanted| {
            let is_new = *wanted != feeds;
            *wanted = feeds;
            is_new
        });
    }

    /// The names of those that there are.
    pub fn names(&self) -> Vec<String> {
        self.wanted.borrow().iter().map(|feed| feed.name.clone()).collect()
    }
}

impl Service {
    /// A service that writes to `log` and runs its generators in `tasks`.
    pub fn new(
        options: &Options,
        log: Arc<dyn EventLog>,
        clock: SharedClock,
        random: Random,
        tasks: TaskGroup,
    ) -> (Self, Handle) {
        let (sender, wanted) = watch::channel(Vec::new());
        (Self { history: options.history, log, clock, random, tasks, wanted }, Handle { wanted: sender })
    }

    /// Keeps to what the handle says until `stop`.
    ///
    /// # Errors
    /// None: a generator that fails says so itself.
    pub async fn run(mut self, stop: Stop) -> Result<(), BoxError> {
        let mut running: BTreeMap<String, (Arc<Feed>, Stop)> = BTreeMap::new();
        loop {
            let wanted = self.wanted.borrow_and_update().clone();
            running.retain(|name, (feed, stop)| {
                let stays = wanted.iter().any(|other| other.name == *name && other == feed);
                if !stays {
                    stop.request();
                }
                stays
            });
            for feed in wanted {
                running.entry(feed.name.clone()).or_insert_with(|| self.begin(feed, &stop));
            }
            tokio::select! {
                () = stop.requested() => return Ok(()),
                changed = self.wanted.changed() => if changed.is_err() {
                    stop.requested().await;
                    return Ok(());
                },
            }
        }
    }

    fn begin(&self, feed: Arc<Feed>, stop: &Stop) -> (Arc<Feed>, Stop) {
        let generator = Generator {
            feed: Arc::clone(&feed),
            log: Arc::clone(&self.log),
            clock: Arc::clone(&self.clock),
            random: self.random.clone(),
            history: self.history,
        };
        let own = stop.child();
        self.tasks.spawn("feed", OnError::Log, generator.run(own.clone()));
        (feed, own)
    }
}
