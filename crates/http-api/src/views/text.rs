//! The text of a change: what followers are sent, however many they are.
//!
//! Invariants:
//! - It is sent a frame at a time, as a copy, so that it can be given up while clients are still being sent it: they
//!   then hold a frame each and no more.
//! - The memory that it has is free again once nobody holds it, or it is given up.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use factum_sql::{Change, render};
use serde_json::{Value, json};
use tokio::sync::{OnceCell, OwnedSemaphorePermit};

use crate::metrics::HeldBytes;
use crate::rows::RowsView;
use crate::server_sent::FRAME_BYTES;

/// A change as JSON, once it was rendered.
#[derive(Default)]
pub(crate) struct Text {
    filled: OnceCell<()>,
    content: Mutex<Content>,
}

#[derive(Default)]
enum Content {
    #[default]
    Awaited,
    Ready {
        bytes: Vec<u8>,
        _held: HeldBytes,
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
    /// Waits until it is filled, by `fill` if nobody else is at it.
    pub(super) async fn filled_by<F: Future<Output = ()>>(&self, fill: impl FnOnce() -> F) {
        self.filled.get_or_init(fill).await;
    }

    /// Gives it its bytes, and the memory that is theirs.
    pub(super) fn fill(&self, bytes: Vec<u8>, room: Option<OwnedSemaphorePermit>) {
        let held = HeldBytes::of_snapshots(if room.is_some() { bytes.len() } else { 0 });
        *self.content() = Content::Ready { bytes, _held: held, _room: room };
    }

    /// Frees its memory.
    pub(super) fn give_up(&self) {
        *self.content() = Content::GivenUp;
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

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change as JSON.
pub(super) fn render(change: &Change) -> Vec<u8> {
    let json = match change {
        Change::Snapshot { rows, .. } => serde_json::to_vec(&RowsView::of(rows)),
        Change::Changed { as_of, removed, added, errors, .. } => {
            let rows = |batch| render::json(std::slice::from_ref(batch));
            let as_of = as_of.to_string();
            let mut change = json!({"removed": rows(removed), "added": rows(added), "as_of": as_of});
            if !errors.is_empty() {
                change["errors"] = json!(**errors);
            }
            serde_json::to_vec::<Value>(&change)
        }
    };
    json.expect("text and JSON values serialise")
}

/// Whether the text is likely to be longer than a frame.
pub(super) fn is_large(change: &Change) -> bool {
    estimated_bytes(change) > FRAME_BYTES
}

/// About how long the text will be, without rendering it: the values, and the names of the columns in each row.
fn estimated_bytes(change: &Change) -> usize {
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
