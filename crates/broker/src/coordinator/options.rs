//! Options of consumer groups.

use std::time::Duration;

use factum_types::{ByteSize, units};
use serde::{Deserialize, Serialize};

/// The settings of consumer groups, under Kafka's names where Kafka has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// How long the first rebalance of an empty group waits for more members. Kafka's default is 3 s; here it is
    /// nothing, so that a first consumer starts at once and a second costs one more rebalance.
    #[serde(with = "units::duration")]
    pub initial_rebalance_delay: Duration,
    /// The shortest session that a member may ask for.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub min_session_timeout: Duration,
    /// The longest session that a member may ask for.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub max_session_timeout: Duration,
    /// How long a member of the consumer protocol may be silent before it is taken out.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub session_timeout: Duration,
    /// How often members of the consumer protocol are told to send heartbeats.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub heartbeat_interval: Duration,
    /// Most members of one group, those on their way in included.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_members: usize,
    /// Most groups; one client address makes three quarters of them at most.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_groups: usize,
    /// The largest sum of the subscriptions of one member, under all its protocols.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_member_metadata: ByteSize,
    /// The largest sum of the subscriptions of a group's members, and of their assignments.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub max_group_metadata: ByteSize,
    /// The memory of all groups: what members bring, their assignments and the committed offsets. What one client address
    /// brings is at most half of it. Offsets that were committed are kept even beyond it; then only growth is refused.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub memory: ByteSize,
    /// The longest text that may be kept beside a committed offset, in bytes.
    pub offset_metadata_max_bytes: usize,
    /// How long offsets are kept once their group has no members.
    #[serde(with = "units::duration")]
    pub offsets_retention: Duration,
    /// How often offsets past their retention are looked for.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub offsets_retention_check_interval: Duration,
    /// Bytes of journal after which the live state is rewritten and the rest dropped.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub snapshot_after: ByteSize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            initial_rebalance_delay: Duration::ZERO,
            min_session_timeout: Duration::from_secs(6),
            max_session_timeout: Duration::from_secs(30 * 60),
            session_timeout: Duration::from_secs(45),
            heartbeat_interval: Duration::from_secs(5),
            max_members: 10_000,
            max_groups: 100_000,
            max_member_metadata: ByteSize(1 << 20),
            max_group_metadata: ByteSize(4 << 20),
            memory: ByteSize(256 << 20),
            offset_metadata_max_bytes: 4_096,
            offsets_retention: Duration::from_secs(7 * 24 * 60 * 60),
            offsets_retention_check_interval: Duration::from_secs(10 * 60),
            snapshot_after: ByteSize(16 << 20),
        }
    }
}
