//! Options of the embedded log.

use std::path::PathBuf;
use std::time::Duration;

use factum_types::{ByteSize, units};
use serde::{Deserialize, Serialize};

use crate::auto_create::AutoCreateTopics;
use crate::{coordinator, transactions};

/// Enough for the default number of partitions, with their older segments that are read.
pub const DEFAULT_OPEN_FILES: usize = 4_512;

/// The embedded log's settings; each has a default, and a key that is not known is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where everything is kept; made if it is missing.
    pub data_dir: PathBuf,
    /// Partitions of a topic that is made without saying how many.
    pub default_partitions: i32,
    /// Whether a topic is created when a client first uses it.
    pub auto_create_topics: AutoCreateTopics,
    /// Most partitions that one topic may have.
    pub max_topic_partitions: i32,
    /// Most partitions of all topics together.
    pub max_partitions: usize,
    /// How long records are kept where the topic does not say; absent keeps them forever.
    #[serde(with = "units::duration::option")]
    pub retention: Option<Duration>,
    /// How large a partition may grow where the topic does not say; absent sets no bound.
    pub retention_bytes: Option<ByteSize>,
    /// How often segments past their retention are looked for.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub retention_check_interval: Duration,
    /// How often topics that are compacted are looked at.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub compaction_check_interval: Duration,
    /// Memory of a compaction for the latest offsets of keys, some 45 bytes for each; what does not fit takes several
    /// passes.
    pub compaction_memory: ByteSize,
    /// The part of one processor that compaction takes at most, 1 to 100.
    pub compaction_cpu_percent: u32,
    /// The size at which a segment is sealed where the topic does not say.
    pub segment_bytes: ByteSize,
    /// The largest record batch taken where the topic does not say.
    pub max_message_bytes: ByteSize,
    /// Memory for the most recent batches of all partitions together.
    pub tail_cache: ByteSize,
    /// Most segments held open at one time, at least 8; absent takes [`DEFAULT_OPEN_FILES`]. Partitions may be more:
    /// their files are closed and opened again as they are written and read.
    pub open_files: Option<usize>,
    /// Threads that sync partitions side by side.
    pub sync_threads: usize,
    /// Consumer groups.
    pub groups: coordinator::Options,
    /// Transactions.
    pub transactions: transactions::Options,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("factum-data"),
            default_partitions: 4,
            auto_create_topics: AutoCreateTopics::Never,
            max_topic_partitions: 1_000,
            max_partitions: 4_000,
            retention: Some(Duration::from_secs(7 * 24 * 60 * 60)),
            retention_bytes: None,
            retention_check_interval: Duration::from_secs(60),
            compaction_check_interval: Duration::from_secs(15),
            compaction_memory: ByteSize(128 << 20),
            compaction_cpu_percent: 20,
            segment_bytes: ByteSize(128 << 20),
            max_message_bytes: ByteSize(1_048_588),
            tail_cache: ByteSize(16 << 20),
            open_files: None,
            sync_threads: 8,
            groups: coordinator::Options::default(),
            transactions: transactions::Options::default(),
        }
    }
}
