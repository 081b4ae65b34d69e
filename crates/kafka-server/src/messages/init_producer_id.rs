//! InitProducerId: an idempotent producer's identity.

use factum_types::{ProducerEpoch, ProducerId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for a producer id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitProducerIdRequest {
    /// The transactional producer, if it is one.
    pub transactional_id: Option<String>,
    /// Milliseconds after which an open transaction is aborted.
    pub transaction_timeout_ms: i32,
    /// The id that the producer has, from version 3; -1 for none (KIP-360).
    pub producer_id: ProducerId,
    /// The epoch that the producer has, from version 3; -1 for none.
    pub producer_epoch: ProducerEpoch,
}

/// Gives a producer id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitProducerIdResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why there is no id.
    pub error_code: ErrorCode,
    /// The id; -1 after an error.
    pub producer_id: ProducerId,
    /// Its epoch; -1 after an error.
    pub producer_epoch: ProducerEpoch,
}

impl Request for InitProducerIdRequest {
    const API: ApiKey = ApiKey::InitProducerId;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            transactional_id: r.nullable_string("transactional_id")?,
            transaction_timeout_ms: r.i32("transaction_timeout_ms")?,
            producer_id: if version >= 3 { r.i64("producer_id")? } else { -1 },
            producer_epoch: if version >= 3 { r.i16("producer_epoch")? } else { -1 },
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for InitProducerIdResponse {
    const API: ApiKey = ApiKey::InitProducerId;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _version: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.i64(self.producer_id);
        w.i16(self.producer_epoch);
        w.no_tagged_fields();
    }
}
