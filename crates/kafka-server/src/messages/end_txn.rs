//! EndTxn (KIP-98): commits or aborts a transaction. From version 5 on the producer gets the epoch of its next
//! transaction with the answer (KIP-890).

use factum_types::{ProducerEpoch, ProducerId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks to end a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndTxnRequest {
    /// The transactional producer.
    pub transactional_id: String,
    /// The id that the producer has.
    pub producer_id: ProducerId,
    /// The epoch that the producer has.
    pub producer_epoch: ProducerEpoch,
    /// Whether to commit; otherwise the transaction is aborted.
    pub committed: bool,
}

/// Says whether it ends so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndTxnResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why it does not.
    pub error_code: ErrorCode,
    /// The producer's id from now on, from version 5; -1 after an error.
    pub producer_id: ProducerId,
    /// The producer's epoch from now on, from version 5; -1 after an error.
    pub producer_epoch: ProducerEpoch,
}

impl Request for EndTxnRequest {
    const API: ApiKey = ApiKey::EndTxn;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let request = Self {
            transactional_id: r.string("transactional_id")?,
            producer_id: r.i64("producer_id")?,
            producer_epoch: r.i16("producer_epoch")?,
            committed: r.bool("committed")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for EndTxnResponse {
    const API: ApiKey = ApiKey::EndTxn;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        if version >= 5 {
            w.i64(self.producer_id);
            w.i16(self.producer_epoch);
        }
        w.no_tagged_fields();
    }
}
