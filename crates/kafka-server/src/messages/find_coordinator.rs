//! FindCoordinator: which node looks after a group or a transactional producer.

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// The key type of consumer groups.
pub const GROUP: i8 = 0;
/// The key type of transactional producers, from version 1.
pub const TRANSACTION: i8 = 1;

/// Asks for coordinators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindCoordinatorRequest {
    /// What the keys name: [`GROUP`] or [`TRANSACTION`].
    pub key_type: i8,
    /// The groups or transactional ids; exactly one before version 4.
    pub coordinator_keys: Vec<String>,
}

/// Names coordinators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindCoordinatorResponse {
    /// Milliseconds that the client should wait, from version 1.
    pub throttle_time_ms: i32,
    /// One for each key, in their order; before version 4 the first is all that is written.
    pub coordinators: Vec<Coordinator>,
}

/// One coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinator {
    /// The key that it coordinates, from version 4.
    pub key: String,
    /// Its node id; -1 after an error.
    pub node_id: i32,
    /// Its host; empty after an error.
    pub host: String,
    /// Its port; -1 after an error.
    pub port: i32,
    /// Why there is none.
    pub error_code: ErrorCode,
    /// Why there is none, in words, from version 1.
    pub error_message: Option<String>,
}

impl Request for FindCoordinatorRequest {
    const API: ApiKey = ApiKey::FindCoordinator;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let key = if version < 4 { Some(r.string("key")?) } else { None };
        let request = Self {
            key_type: if version >= 1 { r.i8("key_type")? } else { GROUP },
            coordinator_keys: match key {
                Some(key) => vec![key],
                None => r.array("coordinator_keys", |r| r.string("coordinator_keys"))?,
            },
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for FindCoordinatorResponse {
    const API: ApiKey = ApiKey::FindCoordinator;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        if version >= 4 {
            w.array(&self.coordinators, Coordinator::encode);
        } else {
            self.coordinators.first().unwrap_or(&Coordinator::UNASKED).encode_alone(w, version);
        }
        w.no_tagged_fields();
    }
}

impl Coordinator {
    /// What a response without coordinators says before version 4.
    const UNASKED: Self = Self {
        key: String::new(),
        node_id: -1,
        host: String::new(),
        port: -1,
        error_code: ErrorCode::CoordinatorNotAvailable,
        error_message: None,
    };

    fn encode(w: &mut Writer, coordinator: &Self) {
        w.string(&coordinator.key);
        w.i32(coordinator.node_id);
        w.string(&coordinator.host);
        w.i32(coordinator.port);
        w.error_code(coordinator.error_code);
        w.nullable_string(coordinator.error_message.as_deref());
        w.no_tagged_fields();
    }

    fn encode_alone(&self, w: &mut Writer, version: i16) {
        w.error_code(self.error_code);
        if version >= 1 {
            w.nullable_string(self.error_message.as_deref());
        }
        w.i32(self.node_id);
        w.string(&self.host);
        w.i32(self.port);
    }
}
