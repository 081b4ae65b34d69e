//! ListTransactions: which transactional producers there are. There are none.

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::list_transactions::{ListTransactionsRequest, ListTransactionsResponse};

impl Handle for ListTransactionsRequest {
    type Response = ListTransactionsResponse;

    async fn handle(self, _: &Call) -> ListTransactionsResponse {
        ListTransactionsResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None,
            unknown_state_filters: Vec::new(),
            transaction_states: Vec::new(),
        }
    }
}
