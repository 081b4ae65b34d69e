//! EndTxn: commits or aborts a transaction.

use factum_types::Action;

use super::errors::TRANSACTIONS_UNSUPPORTED;
use super::{Call, Handle};
use crate::messages::end_txn::{EndTxnRequest, EndTxnResponse};

impl Handle for EndTxnRequest {
    type Response = EndTxnResponse;

    async fn handle(self, call: &Call) -> EndTxnResponse {
        let allowed = call.session.transactional_id(Action::Write, &self.transactional_id);
        let error_code = allowed.err().unwrap_or(TRANSACTIONS_UNSUPPORTED);
        EndTxnResponse { throttle_time_ms: 0, error_code, producer_id: -1, producer_epoch: -1 }
    }
}
