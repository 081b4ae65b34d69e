//! AddOffsetsToTxn: a transaction commits offsets of a group.

use factum_broker::transactions::ProducerIdentity;
use factum_types::Action;

use super::errors::fenced_before;
use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};

/// From this version on clients know `PRODUCER_FENCED`.
const FENCED_SINCE: i16 = 2;

impl Handle for AddOffsetsToTxnRequest {
    type Response = AddOffsetsToTxnResponse;

    async fn handle(self, call: &Call) -> AddOffsetsToTxnResponse {
        let added = add(call, &self).await;
        let error_code = added
            .map_or_else(|code| fenced_before(FENCED_SINCE, call.header.version, code), |()| ErrorCode::None);
        AddOffsetsToTxnResponse { throttle_time_ms: 0, error_code }
    }
}

async fn add(call: &Call, asked: &AddOffsetsToTxnRequest) -> Result<(), ErrorCode> {
    let session = &call.session;
    let id = session.transactional_id(Action::Write, &asked.transactional_id)?;
    session.group(Action::Read, &asked.group_id)?;
    let producer = ProducerIdentity { id: asked.producer_id, epoch: asked.producer_epoch };
    let added = session.broker().transactions().add_offsets(&id, producer, session.peer.ip().into()).await;
    added.map_err(|error| ErrorCode::from(&error))
}
