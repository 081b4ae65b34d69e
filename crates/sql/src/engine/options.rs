//! Settings of the engine.

use std::time::Duration;

use factum_types::{ByteSize, units};
use serde::{Deserialize, Serialize};

/// The engine's settings; each has a default, and a key that is not known is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Most records of one epoch.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub epoch_rows: usize,
    /// Records decoded at once: more do not fit a cache.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub chunk_rows: usize,
    /// How much is read of a partition at once.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub read_bytes: ByteSize,
    /// How long a read waits for new records.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub poll: Duration,
    /// How long a task rests after a small epoch, so that the next is larger.
    #[serde(with = "units::duration")]
    pub linger: Duration,
    /// How often topics are looked at for new partitions, and sizes and rates are taken.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub survey: Duration,
    /// The longest rest between attempts at something that fails.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub retry: Duration,
    /// A partition that has given nothing for so long no longer holds windows open.
    #[serde(with = "units::duration")]
    pub idle_partition: Duration,
    /// The shortest time between two closings of the same windows.
    #[serde(with = "units::duration")]
    pub close_windows: Duration,
    /// How long state is kept that no statement needs any more and that the log could not give again.
    #[serde(with = "units::duration")]
    pub keep_state: Duration,
    /// The shortest time between two refreshes of a change stream.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub refresh: Duration,
    /// Changes kept of each view for subscribers who fall behind or come back.
    pub max_changes: usize,
    /// How long changes are kept after the last subscriber left.
    #[serde(with = "units::duration")]
    pub keep_changes: Duration,
    /// Threads of low priority on which all views compute what comes of events: 0 for one for each core, and two at
    /// least. A step that takes longer than a second goes on beside them, and four times as many of those at most.
    pub view_threads: usize,
    /// Most records of a topic that one ad-hoc query may read.
    pub query_records: usize,
    /// Ad-hoc queries that are computed at once, each on a thread of low priority.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub queries: usize,
    /// Ad-hoc queries that may wait for their turn; a further one is refused at once.
    pub waiting_queries: usize,
    /// Memory of one ad-hoc query: so much for its operators, and as much again for its answer.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub query_memory: ByteSize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            epoch_rows: 8_192,
            chunk_rows: 2_048,
            read_bytes: ByteSize::mib(4),
            poll: Duration::from_millis(500),
            linger: Duration::from_millis(5),
            survey: Duration::from_secs(1),
            retry: Duration::from_secs(10),
            idle_partition: Duration::from_secs(30),
            close_windows: Duration::from_secs(1),
            keep_state: Duration::from_secs(7 * 24 * 60 * 60),
            refresh: Duration::from_millis(20),
            max_changes: 1_000,
            keep_changes: Duration::from_secs(60),
            view_threads: 0,
            query_records: 5_000_000,
            queries: 4,
            waiting_queries: 32,
            query_memory: ByteSize::mib(256),
        }
    }
}
