//! ListTransactions: which transactional producers there are.

use std::time::Duration;

use factum_broker::transactions::{ListTransactions, TransactionState};
use factum_types::{Action, Resource};
use regex::{Regex, RegexBuilder};

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::list_transactions::{
    ListTransactionsRequest, ListTransactionsResponse, TransactionListing,
};

/// Largest compiled pattern, in bytes.
const MOST_PATTERN_BYTES: usize = 256 << 10;

impl Handle for ListTransactionsRequest {
    type Response = ListTransactionsResponse;

    async fn handle(self, call: &Call) -> ListTransactionsResponse {
        let mut response = ListTransactionsResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None,
            unknown_state_filters: Vec::new(),
            transaction_states: Vec::new(),
        };
        match pattern(self.transactional_id_pattern.as_deref()) {
            Ok(pattern) => {
                let (wanted, unknown) = filters(self);
                // Only unknown states were asked for: nothing is in them.
                let is_none = wanted.states.is_empty() && !unknown.is_empty();
                response.unknown_state_filters = unknown;
                if !is_none {
                    response.transaction_states = list(call, &wanted, pattern.as_ref());
                }
            }
            Err(code) => response.error_code = code,
        }
        response
    }
}

fn pattern(text: Option<&str>) -> Result<Option<Regex>, ErrorCode> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    // It must fit the whole id, as in Kafka.
    let pattern = RegexBuilder::new(&format!("^(?:{text})$")).size_limit(MOST_PATTERN_BYTES).build();
    pattern.map(Some).map_err(|_| ErrorCode::InvalidRegularExpression)
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

fn list(call: &Call, wanted: &ListTransactions, pattern: Option<&Regex>) -> Vec<TransactionListing> {
    let found = call.session.broker().transactions().list(wanted).into_iter();
    let visible = found.filter(|listing| {
        pattern.is_none_or(|pattern| pattern.is_match(listing.id.as_str()))
            && call.session.may(Action::Describe, Resource::TransactionalId(&listing.id))
    });
    let listings = visible.map(|listing| TransactionListing {
        transactional_id: listing.id.as_str().to_owned(),
        producer_id: listing.producer.id,
        transaction_state: listing.state.name().to_owned(),
    });
    listings.collect()
}
