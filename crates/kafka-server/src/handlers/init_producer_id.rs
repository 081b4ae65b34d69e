//! InitProducerId: an identity for an idempotent producer. Transactional producers are refused for now.

use factum_types::{Action, Resource};
use tracing::warn;

use super::errors::TRANSACTIONS_UNSUPPORTED;
use super::{Call, Handle, Session};
use crate::error_code::ErrorCode;
use crate::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};

impl Handle for InitProducerIdRequest {
    type Response = InitProducerIdResponse;

    async fn handle(self, call: &Call) -> InitProducerIdResponse {
        let session = &call.session;
        if !may_be_idempotent(session) {
            return refuse(ErrorCode::ClusterAuthorizationFailed);
        }
        if self.transactional_id.is_some() {
            return refuse(TRANSACTIONS_UNSUPPORTED);
        }
        // A producer that lost its place asks with its old id (KIP-360): a new one is always a good answer.
        match session.broker().allocate_producer_id().await {
            Ok((producer_id, producer_epoch)) => InitProducerIdResponse {
                throttle_time_ms: 0,
                error_code: ErrorCode::None,
                producer_id,
                producer_epoch,
            },
            Err(error) => {
                if let Some(left_out) = session.node.may_log(session.peer.ip()) {
                    warn!(%error, left_out, "cannot give out a producer id");
                }
                refuse(ErrorCode::from(&error))
            }
        }
    }
}

/// A client that may write to any topic may do it idempotently (KIP-679).
fn may_be_idempotent(session: &Session) -> bool {
    session.may(Action::IdempotentWrite, Resource::Cluster)
        || session
            .broker()
            .topics()
            .iter()
            .any(|topic| session.check_topic(Action::Write, topic.name()).is_ok())
}

fn refuse(error_code: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse { throttle_time_ms: 0, error_code, producer_id: -1, producer_epoch: -1 }
}
