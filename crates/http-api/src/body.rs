//! Reading request bodies within limits.
//!
//! Always holds: what all requests together hold is at most [`Options::body_memory`]; a body that stands still
//! is given up; a small body that came in one piece is not copied.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use factum_types::event;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::Options;
use crate::problem::Problem;

/// The unit in which memory is counted.
const PERMIT_BYTES: usize = 1024;
/// How long a body waits for others to make room.
const ROOM_TIMEOUT: Duration = Duration::from_secs(2);
/// What is taken in and thrown away so that a client that sends first hears why it was refused.
const DISCARD_BYTES: usize = 64 << 20;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);
/// Room made at once for what a client only announces.
const ANNOUNCED_BYTES: usize = 1 << 20;

/// Reads bodies and counts their memory.
pub(crate) struct Bodies {
    limit: usize,
    still: Duration,
    memory: Arc<Semaphore>,
}

/// A body in memory; dropping it gives its room to others.
pub(crate) struct Held {
    pub(crate) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    pub(crate) fn new(options: &Options) -> Self {
        let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let limit = size(options.max_body.as_u64());
        let memory = size(options.body_memory.as_u64()).max(limit).div_ceil(PERMIT_BYTES) + 1;
        let memory = Arc::new(Semaphore::new(memory.min(Semaphore::MAX_PERMITS)));
        Self { limit, still: options.body_timeout, memory }
    }

    /// Takes in the whole body.
    pub(crate) async fn read(&self, headers: &HeaderMap, mut body: Body) -> Result<Held, Problem> {
        if announced(headers).is_some_and(|length| length > self.limit) {
            return Err(self.too_large(body).await);
        }
        let mut held = Held { bytes: Bytes::new(), _room: None };
        let mut joined = BytesMut::new();
        while let Some(data) = self.next_piece(&mut body).await? {
            if joined.len() + held.bytes.len() + data.len() > self.limit {
                return Err(self.too_large(body).await);
            }
            self.make_room(&mut held, data.len()).await?;
            if held.bytes.is_empty() && joined.is_empty() {
                held.bytes = data;
                continue;
            }
            if joined.is_empty() {
                joined.reserve(announced(headers).unwrap_or(0).min(ANNOUNCED_BYTES));
                joined.extend_from_slice(&std::mem::take(&mut held.bytes));
            }
            joined.extend_from_slice(&data);
        }
        if !joined.is_empty() {
            held.bytes = joined.freeze();
        }
        Ok(held)
    }

    /// Takes in the whole body and reads it as JSON.
    pub(crate) async fn read_json<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<T, Problem> {
        let media_type =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match media_type {
            "" => return Err(Problem::unsupported("there is no content-type; send application/json")),
            other if !event::is_json(other) => {
                return Err(Problem::unsupported(format_args!(
                    "content-type is {other}; send application/json"
                )));
            }
            _ => {}
        }
        let held = self.read(headers, body).await?;
        serde_json::from_slice(&held.bytes).map_err(|error| Problem::from(event::Error::json(&error)))
    }

    async fn next_piece(&self, body: &mut Body) -> Result<Option<Bytes>, Problem> {
        loop {
            let frame = timeout(self.still, body.frame()).await.map_err(|_| {
                Problem::too_slow(format_args!("the body stood still for {} seconds", self.still.as_secs()))
            })?;
            match frame
                .transpose()
                .map_err(|_| Problem::malformed("the body ended before its announced end"))?
            {
                None => return Ok(None),
                // Trailers carry nothing that is used here.
                Some(frame) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Ok(Some(data)),
                    Ok(_) | Err(_) => {}
                },
            }
        }
    }

    async fn make_room(&self, held: &mut Held, bytes: usize) -> Result<(), Problem> {
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        let room = timeout(ROOM_TIMEOUT, Arc::clone(&self.memory).acquire_many_owned(permits)).await;
        let Ok(Ok(room)) = room else {
            return Err(Problem::unavailable(
                "busy",
                "too many large requests are being taken in; try again",
            ));
        };
        match &mut held._room {
            Some(kept) => kept.merge(room),
            None => held._room = Some(room),
        }
        Ok(())
    }

    async fn too_large(&self, body: Body) -> Problem {
        discard(body).await;
        Problem::too_large(format_args!("the body is larger than {} bytes", self.limit), self.limit)
    }
}

/// The length that the client announced, if it did.
fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn discard(mut body: Body) {
    let drain = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen > DISCARD_BYTES || body.is_end_stream() {
                break;
            }
        }
    };
    // Only a courtesy: a client that sends on for longer finds the connection closed.
    drop(timeout(DISCARD_TIMEOUT, drain).await);
}
