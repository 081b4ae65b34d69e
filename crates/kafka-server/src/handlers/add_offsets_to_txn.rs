//! AddOffsetsToTxn: a transaction commits offsets of a group.

use factum_types::Action;

use super::errors::TRANSACTIONS_UNSUPPORTED;
use super::{Call, Handle};
use crate::messages::add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};

impl Handle for AddOffsetsToTxnRequest {
    type Response = AddOffsetsToTxnResponse;

    async fn handle(self, call: &Call) -> AddOffsetsToTxnResponse {
        let session = &call.session;
        let producer = session.transactional_id(Action::Write, &self.transactional_id);
        let allowed = producer.and_then(|_| session.group(Action::Read, &self.group_id));
        let error_code = allowed.err().unwrap_or(TRANSACTIONS_UNSUPPORTED);
        AddOffsetsToTxnResponse { throttle_time_ms: 0, error_code }
    }
}
