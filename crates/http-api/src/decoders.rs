//! What is decoded of a stranger's request, each as a function of its bytes: for fuzzers, which have no server.
//!
//! Deliberately not here: anything that asks a log, a catalogue or an engine.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use factum_base::random::Random;
use factum_types::Timestamp;

use crate::http::body;
use crate::routes::tail::Positions;
use crate::routes::{events, views};

/// Unpacks the body of `POST /events/{topic}` to `limit` bytes at most, and makes records of it; `head` are its
/// headers, of which those that HTTP does not know are left out. The number of records, if it is taken.
pub fn events(head: &[(&[u8], &[u8])], body: &[u8], limit: usize) -> Option<usize> {
    let mut headers = HeaderMap::new();
    for (name, value) in head {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let body = body::unpacked(&headers, Bytes::copy_from_slice(body), limit).ok()?;
    let random = Random::seeded(1);
    events::decode(&headers, &body, random, Timestamp::from_millis(1_700_000_000_000))
        .ok()
        .map(|records| records.len())
}

/// Reads the `Last-Event-ID` of a tail, and that of a view's changes; whether either was ever sent.
pub fn last_event_id(id: &[u8]) -> bool {
    let of_a_tail = Positions::parse(id).map(|positions| positions.to_string());
    of_a_tail.is_ok() | views::parse_change_id(id).is_ok()
}
