//! ApiVersions: which requests are served. Anyone may ask.

use super::{Call, Handle, StartedRequest};
use crate::connection::Answer;
use crate::error_code::ErrorCode;
use crate::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use crate::messages::{ApiKey, Response};

/// Answers a version that is not served: in version 0, which every client reads, with the versions that are
/// (KIP-511).
pub(super) fn fall_back(correlation_id: i32) -> StartedRequest {
    let response = ApiVersionsResponse::new(ErrorCode::UnsupportedVersion).frame(0, correlation_id);
    StartedRequest { api: ApiKey::ApiVersions, answer: Some(Answer::Ready(response)) }
}

impl Handle for ApiVersionsRequest {
    type Response = ApiVersionsResponse;

    async fn handle(self, call: &Call) -> ApiVersionsResponse {
        tracing::debug!(
            peer = %call.session.peer,
            client = self.client_software_name,
            version = self.client_software_version,
            "a Kafka client says hello"
        );
        ApiVersionsResponse::new(ErrorCode::None)
    }
}
