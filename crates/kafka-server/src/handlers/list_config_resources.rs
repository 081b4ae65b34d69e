//! ListConfigResources: topics, groups, and the one node with its log levels.

use factum_types::Action;

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::describe_configs::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC};
use crate::messages::list_config_resources::{
    ListConfigResourcesRequest, ListConfigResourcesResponse, ListedResource,
};

/// All types of resources, in the order in which they are listed.
const ALL: [i8; 5] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP];

impl Handle for ListConfigResourcesRequest {
    type Response = ListConfigResourcesResponse;

    async fn handle(self, call: &Call) -> ListConfigResourcesResponse {
        let (error_code, config_resources) = match list(call, &self.resource_types) {
            Ok(listed) => (ErrorCode::None, listed),
            Err(code) => (code, Vec::new()),
        };
        ListConfigResourcesResponse { throttle_time_ms: 0, error_code, config_resources }
    }
}

fn list(call: &Call, asked: &[i8]) -> Result<Vec<ListedResource>, ErrorCode> {
    call.session.check_cluster(Action::DescribeConfigs)?;
    let wanted = match (call.header.version, asked) {
        // The name of the request tells what is wanted.
        (0, _) => &[CLIENT_METRICS][..],
        (_, []) => &ALL,
        (_, asked) => asked,
    };
    if wanted.iter().any(|kind| !ALL.contains(kind)) {
        return Err(ErrorCode::UnsupportedVersion);
    }
    let broker = call.session.broker();
    let kinds = ALL.iter().filter(|kind| wanted.contains(kind));
    let listed = kinds.flat_map(|kind| {
        let names: Vec<String> = match *kind {
            TOPIC => broker.topics().iter().map(|topic| topic.name().as_str().to_owned()).collect(),
            BROKER | BROKER_LOGGER => vec![broker.node_id().to_string()],
            // No one can subscribe to metrics, and no group has settings of its own.
            _ => Vec::new(),
        };
        names.into_iter().map(|resource_name| ListedResource { resource_name, resource_type: *kind })
    });
    Ok(listed.collect())
}
