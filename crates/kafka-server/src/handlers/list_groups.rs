//! ListGroups: which groups there are, as far as the client may see them.

use std::collections::HashSet;

use factum_broker::coordinator::GroupListing;
use factum_types::{Action, Resource};

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

impl Handle for ListGroupsRequest {
    type Response = ListGroupsResponse;

    async fn handle(self, call: &Call) -> ListGroupsResponse {
        let session = &call.session;
        let sees_all = session.may(Action::Describe, Resource::Cluster);
        let (states, types) = (Filter::new(&self.states_filter), Filter::new(&self.types_filter));
        let groups = session.broker().coordinator().list().into_iter();
        let groups = groups
            .filter(|found| sees_all || session.may(Action::Describe, Resource::Group(&found.group)))
            .filter(|found| states.takes(found.state.as_str()) && types.takes(found.group_type.as_str()));
        ListGroupsResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None,
            groups: groups.map(render).collect(),
        }
    }
}

/// What a client wants of something; letters of either case are the same (KIP-848).
struct Filter(HashSet<String>);

impl Filter {
    fn new(wanted: &[String]) -> Self {
        Self(wanted.iter().map(|each| each.to_ascii_lowercase()).collect())
    }

    /// An empty filter takes everything.
    fn takes(&self, value: &str) -> bool {
        self.0.is_empty() || self.0.contains(&value.to_ascii_lowercase())
    }
}

fn render(found: GroupListing) -> ListedGroup {
    ListedGroup {
        group_id: found.group.into(),
        protocol_type: found.protocol_type,
        group_state: found.state.to_string(),
        group_type: found.group_type.as_str().to_owned(),
    }
}
