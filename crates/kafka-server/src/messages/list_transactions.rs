//! ListTransactions (KIP-664).

use factum_types::ProducerId;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks which transactional producers there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTransactionsRequest {
    /// The states wanted, under Kafka's names; empty for all.
    pub state_filters: Vec<String>,
    /// The producer ids wanted; empty for all.
    pub producer_id_filters: Vec<ProducerId>,
    /// Only transactions that are open for longer than so many milliseconds, from version 1; all if below 0 (KIP-994).
    pub duration_filter: i64,
    /// A regular expression for the transactional id, from version 2; all if empty or null (KIP-1152).
    pub transactional_id_pattern: Option<String>,
}

/// Lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTransactionsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why there is no list.
    pub error_code: ErrorCode,
    /// The states asked for that are no states.
    pub unknown_state_filters: Vec<String>,
    /// The producers.
    pub transaction_states: Vec<TransactionListing>,
}

/// One transactional producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionListing {
    /// Its name for itself.
    pub transactional_id: String,
    /// Its id.
    pub producer_id: ProducerId,
    /// The state of its last transaction, under Kafka's name, such as `Ongoing`.
    pub transaction_state: String,
}

impl Request for ListTransactionsRequest {
    const API: ApiKey = ApiKey::ListTransactions;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            state_filters: r.array("state_filters", |r| r.string("state_filter"))?,
            producer_id_filters: r.array("producer_id_filters", |r| r.i64("producer_id_filter"))?,
            duration_filter: if version >= 1 { r.i64("duration_filter")? } else { -1 },
            transactional_id_pattern: match version {
                ..2 => None,
                _ => r.nullable_string("transactional_id_pattern")?,
            },
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for ListTransactionsResponse {
    const API: ApiKey = ApiKey::ListTransactions;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.array(&self.unknown_state_filters, |w, state| w.string(state));
        w.array(&self.transaction_states, |w, producer| {
            w.string(&producer.transactional_id);
            w.i64(producer.producer_id);
            w.string(&producer.transaction_state);
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
