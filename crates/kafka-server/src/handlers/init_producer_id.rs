//! InitProducerId: an identity for an idempotent producer, and for a transactional one, which fences those before it.

use std::time::Duration;

use factum_broker::transactions::{InitProducer, ProducerIdentity};
use factum_types::{Action, Resource};
use tracing::warn;

use super::errors::fenced_before;
use super::{Call, Handle, Session};
use crate::error_code::ErrorCode;
use crate::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};

/// From this version on clients know `PRODUCER_FENCED`.
const FENCED_SINCE: i16 = 4;

impl Handle for InitProducerIdRequest {
    type Response = InitProducerIdResponse;

    async fn handle(self, call: &Call) -> InitProducerIdResponse {
        let initialized = match &self.transactional_id {
            Some(id) => transactional(call, id, &self).await,
            None => idempotent(&call.session).await,
        };
        let (error_code, ProducerIdentity { id, epoch }) = match initialized {
            Ok(producer) => (ErrorCode::None, producer),
            Err(code) => {
                let code = fenced_before(FENCED_SINCE, call.header.version, code);
                (code, ProducerIdentity { id: -1, epoch: -1 })
            }
        };
        InitProducerIdResponse { throttle_time_ms: 0, error_code, producer_id: id, producer_epoch: epoch }
    }
}

async fn transactional(
    call: &Call,
    id: &str,
    asked: &InitProducerIdRequest,
) -> Result<ProducerIdentity, ErrorCode> {
    let id = call.session.transactional_id(Action::Write, id)?;
    let expected = ProducerIdentity { id: asked.producer_id, epoch: asked.producer_epoch };
    let init = InitProducer {
        id,
        timeout: Duration::from_millis(u64::try_from(asked.transaction_timeout_ms).unwrap_or(0)),
        expected: Some(expected).filter(|expected| expected.id >= 0),
        client: call.session.peer.ip().into(),
    };
    let initialized = call.session.broker().transactions().init_producer(init).await;
    initialized.map_err(|error| ErrorCode::from(&error))
}

async fn idempotent(session: &Session) -> Result<ProducerIdentity, ErrorCode> {
    if !may_be_idempotent(session) {
        return Err(ErrorCode::ClusterAuthorizationFailed);
    }
    // A producer that lost its place asks with its old id (KIP-360): a new one is always a good answer.
    match session.broker().allocate_producer_id().await {
        Ok((id, epoch)) => Ok(ProducerIdentity { id, epoch }),
        Err(error) => {
            if let Some(left_out) = session.node.may_log(session.peer.ip()) {
                warn!(%error, left_out, "cannot give out a producer id");
            }
            Err(ErrorCode::from(&error))
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
