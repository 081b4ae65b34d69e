//! The requests and responses of the Kafka protocol, one file per API.
//!
//! A structure is the union of all served versions of its message; a field that a version lacks takes Kafka's
//! default on decoding and is left out on encoding. Where later versions only turned one thing into a list of
//! such things (coordinators, leaving members, groups whose offsets are fetched), the structure has the list.
//! Field names and meanings are Kafka's; the byte order of a message is the order of the lines that read it.
//!
//! [`api`] says which versions are served. Deciding and answering is for the handlers, sockets elsewhere: nothing
//! here does I/O.

pub mod add_offsets_to_txn;
pub mod add_partitions_to_txn;
pub mod alter_client_quotas;
pub mod alter_configs;
pub mod alter_partition_reassignments;
pub mod alter_user_scram_credentials;
pub mod api;
pub mod api_versions;
pub mod consumer_group_describe;
pub mod consumer_group_heartbeat;
pub mod create_acls;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_acls;
pub mod delete_groups;
pub mod delete_records;
pub mod delete_topics;
pub mod describe_acls;
pub mod describe_client_quotas;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_groups;
pub mod describe_log_dirs;
pub mod describe_producers;
pub mod describe_quorum;
pub mod describe_topic_partitions;
pub mod describe_transactions;
pub mod describe_user_scram_credentials;
pub mod elect_leaders;
pub mod end_txn;
pub mod fetch;
pub mod find_coordinator;
pub mod header;
pub mod heartbeat;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod join_group;
pub mod leave_group;
pub mod list_config_resources;
pub mod list_groups;
pub mod list_offsets;
pub mod list_partition_reassignments;
pub mod list_transactions;
pub mod metadata;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod offset_for_leader_epoch;
pub mod produce;
pub mod sasl_authenticate;
pub mod sasl_handshake;
pub mod sync_group;
pub mod txn_offset_commit;
pub mod update_features;
pub mod write_txn_markers;

pub use api::ApiKey;
pub use header::RequestHeader;

use crate::wire::{self, Reader, Rope, Writer};

/// A request that is decoded from a borrowed frame: every one but Produce, which takes its frame apart.
pub trait Request: Sized {
    /// The API that it belongs to.
    const API: ApiKey;

    /// Reads the body, from right behind the header.
    ///
    /// # Errors
    /// Where and why the bytes are not this request in `version`.
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error>;
}

/// A response body.
pub trait Response {
    /// The API that it belongs to.
    const API: ApiKey;

    /// How long the client should wait, where the response says so: what its connection waits anyway (KIP-219).
    fn throttle_time(&mut self) -> Option<&mut i32>;

    /// Writes the body in `version`, which the API must serve.
    fn encode(&self, w: &mut Writer, version: i16);

    /// The whole frame: length, header and body.
    fn frame(&self, version: i16, correlation_id: i32) -> Rope {
        let mut w = Writer::new(Self::API.is_flexible(version));
        w.i32(correlation_id);
        if Self::API.response_header_version(version) > 0 {
            w.no_tagged_fields();
        }
        self.encode(&mut w, version);
        w.into_frame()
    }
}
