//! DescribeTransactions: transactional producers and their transactions. There are none.

use factum_types::Action;

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::describe_transactions::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, TransactionDescription,
};

impl Handle for DescribeTransactionsRequest {
    type Response = DescribeTransactionsResponse;

    async fn handle(self, call: &Call) -> DescribeTransactionsResponse {
        let ids = lookup::unique(self.transactional_ids, String::clone);
        let transaction_states = ids.map(|id| {
            let allowed = call.session.transactional_id(Action::Describe, &id);
            TransactionDescription::error(id, allowed.err().unwrap_or(ErrorCode::TransactionalIdNotFound))
        });
        DescribeTransactionsResponse { throttle_time_ms: 0, transaction_states: transaction_states.collect() }
    }
}
