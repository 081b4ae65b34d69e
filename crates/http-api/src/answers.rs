//! Answers that grow with what the server holds: where they are made, and the memory that they have until their clients
//! have taken them.
//!
//! ```text
//!   a document   made whole, two at a time ─► memory? ─► sent ─► the client has it: memory is free
//!                        ▲                     └─ none: given up, and made again once there is
//!   rows         ─► memory for the columns ─► a piece of text each time that the client has taken the one before
//! ```
//!
//! Invariants:
//! - Nothing that grows with the data is made on a thread that serves connections: it is made on threads for blocking
//!   work, so many at a time.
//! - Whatever is longer than [`UNCOUNTED`] counts in [`Options::answer_memory`] until its last byte is with the operating
//!   system; one that is larger than all of it has it alone. Who waits for memory holds no text.
//! - The columns that several answers are written of count once.
//! - Rows that wait for memory hold a quarter of it beside; who finds no room there is told to ask again, at once.
//!
//! Not here: streams of events, whose memory is that of [`crate::streams`] and [`crate::views`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use factum_base::blocking_work::BlockingWork;
use factum_sql::Rows;
use factum_types::ByteSize;
use futures::{StreamExt, stream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tracing::debug;

use crate::Options;
use crate::memory_pool::MemoryPool;
use crate::metrics;
use crate::problem::Problem;
use crate::rows::RowsWriter;
use crate::server_sent::FRAME_BYTES;
use crate::state::Api;

/// Answers that are shorter cost their connection no more than its buffers do.
pub(crate) const UNCOUNTED: usize = 16 << 10;
/// Documents made at once.
const DOCUMENTS_AT_ONCE: usize = 2;
/// Requests that wait for the rows of a view or a query at once: each may hold a thread for blocking work.
const READERS: usize = 256;
/// Pieces of text that one answer has: one that is being sent, one that is ready.
const PIECES: usize = 2;

/// Makes answers, within bounds.
pub(crate) struct Answers {
    documents: BlockingWork,
    pieces: BlockingWork,
    readers: Semaphore,
    memory: MemoryPool,
    /// For rows that wait for memory.
    waiting: MemoryPool,
    /// What answers under way are written of, by the address of the batches.
    columns: Mutex<HashMap<usize, Weak<Columns>>>,
    patience: Duration,
}

impl Answers {
    pub(crate) fn new(options: &Options) -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self {
            documents: BlockingWork::at_most(DOCUMENTS_AT_ONCE),
            pieces: BlockingWork::at_most(processors.saturating_sub(1).max(1)),
            readers: Semaphore::new(READERS),
            memory: MemoryPool::new(options.answer_memory),
            waiting: MemoryPool::new(ByteSize(options.answer_memory.as_u64() / 4)),
            columns: Mutex::default(),
            patience: options.snapshot_timeout,
        }
    }

    /// The threads on which pieces of streams are written.
    pub(crate) fn pieces(&self) -> &BlockingWork {
        &self.pieces
    }

    /// What `make` gives, made on a thread for blocking work.
    ///
    /// # Errors
    /// As `make`; 503 if others are in the way for too long.
    pub(crate) async fn made<T: Send + 'static, F: Future<Output = Result<T, Problem>>>(
        &self,
        make: impl FnOnce() -> F + Send + 'static,
    ) -> Result<T, Problem> {
        let runtime = Handle::current();
        self.in_time(self.documents.run(move || runtime.block_on(make()))).await?
    }

    /// The answer with the text that `make` gives; `make` is called again if there was no memory for what it gave first.
    ///
    /// # Errors
    /// As `make`; 503 if others are in the way for too long.
    pub(crate) async fn document<F: Future<Output = Result<Vec<u8>, Problem>>>(
        &self,
        media_type: &'static str,
        make: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<Response, Problem> {
        let make = Arc::new(make);
        let again = Arc::clone(&make);
        let mut text = self.made(move || again()).await?;
        let text = match self.memory.try_room(text.len()) {
            _ if text.len() <= UNCOUNTED => Bytes::from(text),
            Some(room) => held(text, room),
            None => {
                let length = text.len();
                drop(text);
                let mut room = self.room(length).await?;
                text = self.made(move || make()).await?;
                let more = text.len().saturating_sub(length);
                if more > 0 {
                    room.merge(self.memory.try_room(more).ok_or_else(busy)?);
                }
                held(text, room)
            }
        };
        Ok((Extension(Counted), [(header::CONTENT_TYPE, media_type)], text).into_response())
    }

    /// A text that several are sent, which counts once.
    ///
    /// # Errors
    /// 503 if there is no memory for it.
    pub(crate) fn shared(&self, text: Vec<u8>) -> Result<Bytes, Problem> {
        let room = self.memory.try_room(text.len()).ok_or_else(busy)?;
        Ok(held(text, room))
    }

    /// Memory for an answer of so many bytes; waits for it in line.
    ///
    /// # Errors
    /// 503 if there is none in time.
    pub(crate) async fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        self.in_time(self.memory.room(bytes)).await
    }

    /// Runs `read`, which gives rows, as one of a bounded number.
    pub(crate) async fn reading<T>(&self, read: impl Future<Output = T>) -> Result<T, Problem> {
        let _reader = self.in_time(self.readers.acquire()).await?.expect("the semaphore is never closed");
        Ok(read.await)
    }

    /// The body of `rows`, which `writer` writes. Those that are few are written at once; the columns of many are
    /// kept, and a piece of their text is written when the client has taken the one before.
    ///
    /// # Errors
    /// 503 if others are in the way for too long; [`Problem`] where the rows cannot be written.
    pub(crate) async fn rows(&self, writer: RowsWriter, rows: Rows) -> Result<Body, Problem> {
        let (writer, first) = next_piece(&self.pieces, writer).await;
        let first = first?;
        if writer.is_done() {
            return Ok(match first.len() <= UNCOUNTED {
                true => Body::from(first),
                false => {
                    let room = self.room(first.len()).await?;
                    Body::from(held(first, room))
                }
            });
        }
        let columns = self.columns(rows).await?;
        let pieces = self.room(PIECES * FRAME_BYTES).await?;
        let room = Arc::new((columns, pieces));
        let first = Bytes::from_owner(Held { bytes: first, _room: Arc::clone(&room) });
        let rest = RestOfRows { writer: Some(writer), room, pieces: self.pieces.clone() };
        let first = stream::once(async move { Ok::<_, std::io::Error>(first) });
        let rest = stream::unfold(rest, |mut rest| async { Some((rest.next().await?, rest)) });
        Ok(Body::from_stream(first.chain(rest)))
    }

    /// `rows`, with memory for their columns, which others may be sent as well.
    async fn columns(&self, rows: Rows) -> Result<Arc<Columns>, Problem> {
        let address = rows.batches.as_ptr().addr();
        let known = self.known_columns().get(&address).and_then(Weak::upgrade);
        if let Some(known) = known {
            return Ok(known);
        }
        let memory = rows.memory();
        let room = match self.memory.try_room(memory) {
            Some(room) => room,
            None => {
                let _waiting = self.waiting.try_room(memory).ok_or_else(busy)?;
                self.room(memory).await?
            }
        };
        let columns = Arc::new(Columns { _rows: rows, _room: room });
        let mut known = self.known_columns();
        known.retain(|_, columns| columns.strong_count() > 0);
        known.insert(address, Arc::downgrade(&columns));
        Ok(columns)
    }

    fn known_columns(&self) -> MutexGuard<'_, HashMap<usize, Weak<Columns>>> {
        self.columns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn in_time<T>(&self, wait: impl Future<Output = T>) -> Result<T, Problem> {
        timeout(self.patience, wait).await.map_err(|_| busy())
    }
}

/// Columns that answers are written of. While they are known nothing else has their address.
struct Columns {
    _rows: Rows,
    _room: OwnedSemaphorePermit,
}

/// An answer of rows that is under way.
struct RestOfRows {
    /// None once a piece could not be written.
    writer: Option<RowsWriter>,
    room: Arc<(Arc<Columns>, OwnedSemaphorePermit)>,
    pieces: BlockingWork,
}

impl RestOfRows {
    /// The next piece. An error cuts the answer off, which its client sees: its end is missing.
    async fn next(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        let writer = self.writer.take().filter(|writer| !writer.is_done())?;
        let (writer, piece) = next_piece(&self.pieces, writer).await;
        match piece {
            Ok(piece) => {
                self.writer = Some(writer);
                Some(Ok(Bytes::from_owner(Held { bytes: piece, _room: Arc::clone(&self.room) })))
            }
            Err(problem) => {
                debug!(problem = problem.detail(), "an answer was cut off");
                Some(Err(std::io::Error::other("the rows cannot be written in this form")))
            }
        }
    }
}

async fn next_piece(pieces: &BlockingWork, mut writer: RowsWriter) -> (RowsWriter, Result<Vec<u8>, Problem>) {
    let write = move || {
        let piece = writer.next_piece(FRAME_BYTES);
        (writer, piece)
    };
    pieces.run(write).await
}

/// Says of a response that its memory is counted already, or no more for each client.
#[derive(Clone)]
pub(crate) struct Counted;

/// Counts what a handler made at once and did not count itself.
///
/// A GET finds no room at once, or it is told to ask again. What tells of something that was done is sent in any case.
pub(crate) async fn count(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let changes_nothing = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = next.run(request).await;
    let length = response.body().size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let Some(length) = length.filter(|length| *length > UNCOUNTED) else { return response };
    if response.extensions().get::<Counted>().is_some() {
        return response;
    }
    let (head, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, length).await else { return busy().into_response() };
    // What others hold too, such as a file of the console, is there for all of them once.
    if !bytes.is_unique() {
        return Response::from_parts(head, Body::from(bytes));
    }
    let room = match api.answers.memory.try_room(length) {
        Some(room) => Some(room),
        None if changes_nothing => return busy().into_response(),
        None => api.answers.room(length).await.ok(),
    };
    Response::from_parts(head, Body::from(Bytes::from_owner(Held { bytes, _room: room })))
}

fn busy() -> Problem {
    metrics::observe_busy_answer();
    Problem::unavailable(
        "busy",
        "too many large answers are being sent (http.answer_memory); ask again, or for fewer rows",
    )
}

/// `bytes` as they are sent, with the memory that is theirs until then.
pub(crate) fn held(bytes: Vec<u8>, room: impl Send + 'static) -> Bytes {
    Bytes::from_owner(Held { bytes, _room: room })
}

/// Bytes that a client is being sent, and their memory: free once the last of them is.
struct Held<B, R> {
    bytes: B,
    _room: R,
}

impl<B: AsRef<[u8]>, R> AsRef<[u8]> for Held<B, R> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}
