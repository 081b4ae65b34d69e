//! ListGroups: which groups there are, as far as the client may see them.

use factum_broker::coordinator::GroupListing;
use factum_types::{Action, Resource};

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

/// The only type of group there is (KIP-848 has others).
const GROUP_TYPE: &str = "classic";

impl Handle for ListGroupsRequest {
    type Response = ListGroupsResponse;

    async fn handle(self, call: &Call) -> ListGroupsResponse {
        let session = &call.session;
        let sees_all = session.may(Action::Describe, Resource::Cluster);
        let groups = session.broker().coordinator().list().into_iter();
        let groups = groups
            .filter(|found| sees_all || session.may(Action::Describe, Resource::Group(&found.group)))
            .filter(|found| is_wanted(&self.states_filter, found.state.as_str()))
            .filter(|_| is_wanted(&self.types_filter, GROUP_TYPE));
        ListGroupsResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None,
            groups: groups.map(render).collect(),
        }
    }
}

/// An empty filter wants everything; letters of either case are the same (KIP-848).
fn is_wanted(filter: &[String], value: &str) -> bool {
    filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
}

fn render(found: GroupListing) -> ListedGroup {
    ListedGroup {
        group_id: found.group.into(),
        protocol_type: found.protocol_type,
        group_state: found.state.to_string(),
        group_type: GROUP_TYPE.to_owned(),
    }
}
