//! ListTransactions: which transactional producers there are.

use std::time::Duration;

use factum_base::name_pattern::{MAX_PATTERN_BYTES, NamePattern};
use factum_broker::transactions::{ListTransactions, TransactionState};
use factum_types::{Action, Resource};

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::list_transactions::{
    ListTransactionsRequest, ListTransactionsResponse, TransactionListing,
};

impl Handle for ListTransactionsRequest {
    type Response = ListTransactionsResponse;

    async fn handle(self, call: &Call) -> ListTransactionsResponse {
        let mut response = ListTransactionsResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None,
            unknown_state_filters: Vec::new(),
            transaction_states: Vec::new(),
        };
        let pattern = self.transactional_id_pattern.clone().filter(|text| !text.is_empty());
        let (wanted, unknown) = filters(self);
        // Only unknown states were asked for: nothing is in them.
        let is_none = wanted.states.is_empty() && !unknown.is_empty();
        response.unknown_state_filters = unknown;
        let found = if is_none { Vec::new() } else { visible(call, &wanted) };
        match matching(call, found, pattern).await {
            Ok(found) => response.transaction_states = found,
            Err(code) => response.error_code = code,
        }
        response
    }
}

/// What is wanted, and the states that are none.
fn filters(asked: ListTransactionsRequest) -> (ListTransactions, Vec<String>) {
    let (mut states, mut unknown) = (Vec::new(), Vec::new());
    for name in asked.state_filters {
        match TransactionState::ALL.into_iter().find(|state| state.name() == name) {
            Some(state) => states.push(state),
            None => unknown.push(name),
        }
    }
    let open_for = u64::try_from(asked.duration_filter).ok().map(Duration::from_millis);
    (ListTransactions { states, producer_ids: asked.producer_id_filters, open_for }, unknown)
}

/// Those that the client may know of.
fn visible(call: &Call, wanted: &ListTransactions) -> Vec<TransactionListing> {
    let found = call.session.broker().transactions().list(wanted).into_iter();
    let visible =
        found.filter(|listing| call.session.may(Action::Describe, Resource::TransactionalId(&listing.id)));
    let listings = visible.map(|listing| TransactionListing {
        transactional_id: listing.id.as_str().to_owned(),
        producer_id: listing.producer.id,
        transaction_state: listing.state.name().to_owned(),
    });
    listings.collect()
}

/// Those whose whole id the pattern fits, as in Kafka. It is compiled beside those that serve, and only where there is
/// something to match: a client that may know of no id has nothing compiled.
async fn matching(
    call: &Call,
    mut found: Vec<TransactionListing>,
    pattern: Option<String>,
) -> Result<Vec<TransactionListing>, ErrorCode> {
    let Some(pattern) = pattern else { return Ok(found) };
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(ErrorCode::InvalidRegularExpression);
    }
    if found.is_empty() {
        return Ok(found);
    }
    let work = move || {
        let pattern = NamePattern::new(&pattern).map_err(|_| ErrorCode::InvalidRegularExpression)?;
        found.retain(|listing| pattern.matches(&listing.transactional_id));
        Ok(found)
    };
    call.session.node.side_work.run(call.session.client(), work).await
}
