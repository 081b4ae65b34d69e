//! Reading request bodies within limits.
//!
//! Invariants:
//! - What all requests together hold is bounded ([`memory`]); a small body that came in one piece is not copied.
//! - A body that is announced as too large is refused before any of it is read.
//! - A body that stands still, or that trickles, is given up.
//! - What a handler is given is unpacked ([`encoding`]): no content encoding is stored.

mod encoding;
mod memory;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use factum_api::RequestBody;
use factum_base::clients::ClientAddress;
use factum_types::event;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout};

use crate::Options;
use crate::http::client_limit::client_of;
use crate::http::problem::Problem;
use crate::http::responses;

use encoding::Encoding;
use memory::{BodyMemory, Room};

/// The least that a body must bring each second, on average, once [`Options::body_timeout`] has passed.
const LEAST_BYTES_PER_SECOND: u64 = 4 << 10;
/// Memory made at once for what a client only announces.
const ANNOUNCED_BYTES: usize = 1 << 20;
/// A packed body of at most this size is unpacked at once; a larger one on a thread that may be busy for a while.
const UNPACKED_AT_ONCE: usize = 4 << 10;

/// Beginnings of what `serde` says where a body has other members than are expected.
const MISSHAPEN: [&str; 3] = ["invalid type", "missing field", "unknown field"];

/// Reads bodies and counts their memory.
pub(crate) struct Bodies {
    limit: usize,
    patience: Duration,
    memory: Arc<BodyMemory>,
}

/// A whole body in memory; dropping it gives its room to others.
pub(crate) struct ReceivedBody {
    pub(crate) bytes: Bytes,
    room: Room,
}

impl ReceivedBody {
    /// Makes room for an answer of so many bytes.
    ///
    /// # Errors
    /// 503 if there is none in time.
    pub(crate) async fn make_room(&mut self, bytes: usize) -> Result<(), Problem> {
        self.room.grow(bytes).await
    }

    /// `answer` as it is sent, which has the body's room until then.
    pub(crate) fn give_room_to(self, answer: Vec<u8>) -> Bytes {
        responses::with_room(answer, self.room)
    }
}

impl Bodies {
    pub(crate) fn new(options: &Options) -> Self {
        let limit = usize::try_from(options.max_body.as_u64()).unwrap_or(usize::MAX);
        Self { limit, patience: options.body_timeout, memory: BodyMemory::new(options) }
    }

    /// Takes in the whole body of the request with this head, and unpacks it.
    pub(crate) async fn read(&self, head: &Parts, body: Body) -> Result<ReceivedBody, Problem> {
        let encoding = Encoding::of(&head.headers)?;
        let received = self.receive(head, body).await?;
        match encoding {
            // Nothing at all is packed in no way: it is refused as well.
            Some(encoding) => self.unpack(encoding, received).await,
            None => Ok(received),
        }
    }

    /// Takes in the whole body and reads it as JSON.
    pub(crate) async fn read_json<T: RequestBody>(&self, head: &Parts, body: Body) -> Result<T, Problem> {
        let media_type =
            head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match media_type {
            "" => return Err(Problem::unsupported("there is no content-type; send application/json")),
            other if !event::is_json(other) => {
                return Err(Problem::unsupported(format_args!(
                    "content-type is {other}; send application/json"
                )));
            }
            _ => {}
        }
        let received = self.read(head, body).await?;
        let json = without_byte_order_mark(&received.bytes);
        serde_json::from_slice(&json).map_err(|error| {
            let error = event::Error::json(&error);
            let example = format_args!("send for example {}", T::EXAMPLE);
            match &error {
                event::Error::Json { .. } => Problem::from(error).behind("the body is").also(example),
                // Other reasons are about one value.
                event::Error::Shape { reason, .. }
                    if MISSHAPEN.iter().any(|start| reason.starts_with(start)) =>
                {
                    Problem::from(error).also(example)
                }
                _ => error.into(),
            }
        })
    }

    async fn receive(&self, head: &Parts, mut body: Body) -> Result<ReceivedBody, Problem> {
        let announced = announced(&head.headers).or_else(|| body.size_hint().exact());
        let announced = announced.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced.is_some_and(|length| length > self.limit) {
            return Err(self.too_large());
        }
        let mut room = self.memory.room(client_of(head));
        let (mut first, mut joined) = (Bytes::new(), BytesMut::new());
        let (begun, mut received) = (Instant::now(), 0);
        while let Some(data) = self.next_piece(&mut body, begun, received).await? {
            received += data.len();
            if received > self.limit {
                return Err(self.too_large());
            }
            room.grow(data.len()).await?;
            if first.is_empty() && joined.is_empty() {
                first = data;
                continue;
            }
            if joined.is_empty() {
                joined.reserve(announced.unwrap_or(0).min(ANNOUNCED_BYTES));
                joined.extend_from_slice(&std::mem::take(&mut first));
            }
            joined.extend_from_slice(&data);
        }
        let bytes = if joined.is_empty() { first } else { joined.freeze() };
        Ok(ReceivedBody { bytes, room })
    }

    /// The next piece of a body that has brought `received` bytes since `begun`.
    async fn next_piece(
        &self,
        body: &mut Body,
        begun: Instant,
        received: usize,
    ) -> Result<Option<Bytes>, Problem> {
        loop {
            let frame = timeout(self.patience, body.frame()).await.map_err(|_| {
                let seconds = self.patience.as_secs();
                Problem::too_slow(format_args!("the body stood still for {seconds} seconds"))
            })?;
            let earned = Duration::from_secs(received as u64 / LEAST_BYTES_PER_SECOND);
            if begun.elapsed() > self.patience + earned {
                let detail = format!("the body came at less than {LEAST_BYTES_PER_SECOND} bytes a second");
                return Err(Problem::too_slow(detail));
            }
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

    async fn unpack(&self, encoding: Encoding, packed: ReceivedBody) -> Result<ReceivedBody, Problem> {
        let limit = self.limit;
        let ReceivedBody { bytes, mut room } = packed;
        let is_small = bytes.len() <= UNPACKED_AT_ONCE;
        let decode = move || {
            let bytes = encoding.decode(&bytes, limit, &mut room)?;
            Ok(ReceivedBody { bytes, room })
        };
        if is_small {
            return decode();
        }
        tokio::task::spawn_blocking(decode).await.expect("a decoder does not panic")
    }

    fn too_large(&self) -> Problem {
        Problem::too_large(format_args!("the body is larger than {} bytes", self.limit), self.limit)
    }
}

/// A body that is there already, unpacked as its headers say, to `limit` bytes at most.
pub(crate) fn unpacked(headers: &HeaderMap, packed: Bytes, limit: usize) -> Result<Bytes, Problem> {
    let memory = BodyMemory::new(&Options::default());
    match Encoding::of(headers)? {
        Some(encoding) => encoding.decode(&packed, limit, &mut memory.room(ClientAddress::UNKNOWN)),
        None => Ok(packed),
    }
}

/// The bytes without the mark that some editors put before UTF-8 text, which JSON's readers may pass over
/// (RFC 8259 §8.1).
pub(crate) fn without_byte_order_mark(text: &Bytes) -> Bytes {
    match text.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => text.slice_ref(rest),
        None => text.clone(),
    }
}

/// The length that the client announced, if it did.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
