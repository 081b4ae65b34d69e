//! AddOffsetsToTxn (KIP-98): a transaction commits offsets of a consumer group. Producers that speak version 5 of
//! TxnOffsetCommit leave it out (KIP-890).

use factum_types::{ProducerEpoch, ProducerId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks to add the offsets of a group to a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddOffsetsToTxnRequest {
    /// The transactional producer.
    pub transactional_id: String,
    /// The id that the producer has.
    pub producer_id: ProducerId,
    /// The epoch that the producer has.
    pub producer_epoch: ProducerEpoch,
    /// The group.
    pub group_id: String,
}

/// Says whether they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddOffsetsToTxnResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why they are not in the transaction.
    pub error_code: ErrorCode,
}

impl Request for AddOffsetsToTxnRequest {
    const API: ApiKey = ApiKey::AddOffsetsToTxn;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let request = Self {
            transactional_id: r.string("transactional_id")?,
            producer_id: r.i64("producer_id")?,
            producer_epoch: r.i16("producer_epoch")?,
            group_id: r.string("group_id")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for AddOffsetsToTxnResponse {
    const API: ApiKey = ApiKey::AddOffsetsToTxn;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.no_tagged_fields();
    }
}
