//! Options of transactions.

use std::time::Duration;

use factum_types::{ByteSize, units};
use serde::{Deserialize, Serialize};

/// Settings of transactions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The longest that a transaction may stay open; a producer asks for a time of its own within it.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub max_timeout: Duration,
    /// How long a transactional id that is not used is remembered.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub id_expiration: Duration,
    /// How often transactional ids past their expiration are looked for.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub id_expiration_check_interval: Duration,
    /// Most transactional ids.
    pub max_ids: usize,
    /// Most partitions in one transaction.
    pub max_partitions: usize,
    /// Bytes of journal after which the live state is rewritten and the rest dropped.
    #[serde(deserialize_with = "units::above_zero")]
    pub snapshot_after: ByteSize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_timeout: Duration::from_secs(15 * 60),
            id_expiration: Duration::from_secs(7 * 24 * 60 * 60),
            id_expiration_check_interval: Duration::from_secs(60 * 60),
            max_ids: 100_000,
            max_partitions: 10_000,
            snapshot_after: ByteSize(16 << 20),
        }
    }
}
