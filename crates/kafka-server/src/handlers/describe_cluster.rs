//! DescribeCluster: the one node, which is its own controller.

use factum_types::{Action, Resource};

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::describe_cluster::{
    BROKERS, CONTROLLERS, ClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};

impl Handle for DescribeClusterRequest {
    type Response = DescribeClusterResponse;

    async fn handle(self, call: &Call) -> DescribeClusterResponse {
        let (session, broker) = (&call.session, call.session.broker());
        let outcome = check(call, self.endpoint_type);
        let with_operations = self.include_cluster_authorized_operations && outcome.is_ok();
        let (node_id, endpoint) = (broker.node_id(), session.endpoint());
        let node = ClusterBroker {
            broker_id: node_id,
            host: endpoint.host,
            port: endpoint.port.into(),
            rack: None,
            is_fenced: false,
        };
        DescribeClusterResponse {
            throttle_time_ms: 0,
            error_code: outcome.err().unwrap_or(ErrorCode::None),
            error_message: None,
            endpoint_type: self.endpoint_type,
            cluster_id: if outcome.is_ok() { broker.cluster_id().to_owned() } else { String::new() },
            controller_id: if outcome.is_ok() { node_id } else { -1 },
            brokers: if outcome.is_ok() { vec![node] } else { Vec::new() },
            cluster_authorized_operations: session.operations(with_operations, Resource::Cluster),
        }
    }
}

fn check(call: &Call, endpoint_type: i8) -> Result<(), ErrorCode> {
    call.session.check_cluster(Action::Describe)?;
    match endpoint_type {
        BROKERS => Ok(()),
        CONTROLLERS => Err(ErrorCode::MismatchedEndpointType),
        _ => Err(ErrorCode::UnsupportedEndpointType),
    }
}
