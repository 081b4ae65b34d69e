//! DescribeCluster: the nodes, without any topic.

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// The endpoint type of brokers.
pub const BROKERS: i8 = 1;
/// The endpoint type of controllers.
pub const CONTROLLERS: i8 = 2;

/// Asks for the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeClusterRequest {
    /// Whether to tell what the client may do with the cluster.
    pub include_cluster_authorized_operations: bool,
    /// [`BROKERS`] or [`CONTROLLERS`], from version 1.
    pub endpoint_type: i8,
    /// Whether to list nodes that do not serve, version 2.
    pub include_fenced_brokers: bool,
}

/// Describes the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeClusterResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why there are none.
    pub error_code: ErrorCode,
    /// Why there are none, in words.
    pub error_message: Option<String>,
    /// What `brokers` lists, as asked, from version 1.
    pub endpoint_type: i8,
    /// The cluster's id.
    pub cluster_id: String,
    /// The controller's node id.
    pub controller_id: i32,
    /// The nodes.
    pub brokers: Vec<ClusterBroker>,
    /// What the client may do with the cluster as ACL bits.
    pub cluster_authorized_operations: i32,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterBroker {
    /// The node's id.
    pub broker_id: i32,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: i32,
    /// Its rack.
    pub rack: Option<String>,
    /// Whether it does not serve, version 2.
    pub is_fenced: bool,
}

impl Request for DescribeClusterRequest {
    const API: ApiKey = ApiKey::DescribeCluster;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            include_cluster_authorized_operations: r.bool("include_cluster_authorized_operations")?,
            endpoint_type: if version >= 1 { r.i8("endpoint_type")? } else { BROKERS },
            include_fenced_brokers: version >= 2 && r.bool("include_fenced_brokers")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for DescribeClusterResponse {
    const API: ApiKey = ApiKey::DescribeCluster;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        if version >= 1 {
            w.i8(self.endpoint_type);
        }
        w.string(&self.cluster_id);
        w.i32(self.controller_id);
        w.array(&self.brokers, |w, broker| {
            w.i32(broker.broker_id);
            w.string(&broker.host);
            w.i32(broker.port);
            w.nullable_string(broker.rack.as_deref());
            if version >= 2 {
                w.bool(broker.is_fenced);
            }
            w.no_tagged_fields();
        });
        w.i32(self.cluster_authorized_operations);
        w.no_tagged_fields();
    }
}
