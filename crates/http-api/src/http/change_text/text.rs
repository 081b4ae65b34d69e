//! The text of a change: what followers are sent, however many they are.
//!
//! Invariants:
//! - It is sent a frame at a time, as a copy, so that it can be given up while clients are still being sent it: they
//!   then hold a frame each and no more.
//! - The memory that it has is free again once no one holds it, or it is given up, and so are the shares of the clients
//!   that are sent it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use factum_base::clients::ClientAddress;
use factum_sql::{Change, render};
use tokio::sync::{OnceCell, OwnedSemaphorePermit};

use crate::http::client_limit::ClientShare;
use crate::http::server_sent::FRAME_BYTES;
use crate::http::{json, rows};
use crate::metrics::SnapshotBytes;

/// Changes of about so many bytes are written where they arrive.
const WRITTEN_AT_ONCE: usize = 4 << 10;

/// A change as JSON, once it was rendered.
#[derive(Default)]
pub(crate) struct Text {
    filled: OnceCell<()>,
    content: Mutex<Content>,
    /// Of each client that is sent it, if it is large.
    shares: Mutex<HashMap<ClientAddress, ClientShare>>,
}

#[derive(Default)]
enum Content {
    #[default]
    Awaited,
    Ready {
        bytes: Vec<u8>,
        _held: SnapshotBytes,
        _room: Option<OwnedSemaphorePermit>,
    },
    GivenUp,
}

/// What is next of a text.
pub(crate) enum Part {
    Bytes(Bytes),
    End,
    /// The rest does not come any more.
    GivenUp,
}

impl Text {
    /// Waits until it is filled, by `fill` if no one else is at it.
    pub(super) async fn filled_by<F: Future<Output = ()>>(&self, fill: impl FnOnce() -> F) {
        self.filled.get_or_init(fill).await;
    }

    /// Gives it its bytes, and the memory that is theirs.
    pub(super) fn fill(&self, bytes: Vec<u8>, room: Option<OwnedSemaphorePermit>) {
        let held = SnapshotBytes::of_snapshots(if room.is_some() { bytes.len() } else { 0 });
        *self.content() = Content::Ready { bytes, _held: held, _room: room };
    }

    /// Has it count for `client`, with a share that is given back once no one holds the text or it is given up.
    pub(super) fn count_for(&self, client: ClientAddress, share: ClientShare) {
        self.shares().insert(client, share);
    }

    pub(super) fn is_counted_for(&self, client: ClientAddress) -> bool {
        self.shares().contains_key(&client)
    }

    /// Frees its memory.
    pub(super) fn give_up(&self) {
        *self.content() = Content::GivenUp;
        self.shares().clear();
    }

    pub(super) fn is_given_up(&self) -> bool {
        matches!(*self.content(), Content::GivenUp)
    }

    /// The bytes from `at` on, a frame of them at most.
    pub(crate) fn part(&self, at: usize) -> Part {
        match &*self.content() {
            Content::Ready { bytes, .. } if at >= bytes.len() => Part::End,
            Content::Ready { bytes, .. } => {
                let end = bytes.len().min(at + FRAME_BYTES);
                Part::Bytes(Bytes::copy_from_slice(&bytes[at..end]))
            }
            Content::Awaited | Content::GivenUp => Part::GivenUp,
        }
    }

    fn shares(&self) -> MutexGuard<'_, HashMap<ClientAddress, ClientShare>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change as JSON, written a row at a time: beside its text no more than a row is held.
pub(super) fn render(change: &Change) -> Vec<u8> {
    match change {
        Change::Snapshot { rows, .. } => rows::json_text(rows),
        Change::Changed { as_of, removed, added, errors, .. } => {
            let mut text = Vec::new();
            text.extend_from_slice(b"{\"removed\":[");
            render::append_json(&mut text, removed);
            text.extend_from_slice(b"],\"added\":[");
            render::append_json(&mut text, added);
            text.extend_from_slice(b"],\"as_of\":");
            json::append(&mut text, &as_of.to_string());
            if !errors.is_empty() {
                text.extend_from_slice(b",\"errors\":");
                json::append(&mut text, &**errors);
            }
            text.push(b'}');
            text
        }
    }
}

/// Whether writing it takes hardly any time.
pub(super) fn is_small(change: &Change) -> bool {
    estimated_bytes(change) <= WRITTEN_AT_ONCE
}

/// Whether the text is likely to be longer than a frame.
pub(crate) fn is_large(change: &Change) -> bool {
    estimated_bytes(change) > FRAME_BYTES
}

/// About how long the text will be, without rendering it: the values, and the names of the columns in each row.
pub(super) fn estimated_bytes(change: &Change) -> usize {
    let batches = match change {
        Change::Snapshot { rows, .. } => rows.batches.iter().collect(),
        Change::Changed { removed, added, .. } => vec![removed, added],
    };
    let bytes = batches.into_iter().map(|batch| {
        let names: usize = batch.schema_ref().fields().iter().map(|field| field.name().len() + 4).sum();
        batch.get_array_memory_size() + batch.num_rows() * names
    });
    bytes.sum()
}
