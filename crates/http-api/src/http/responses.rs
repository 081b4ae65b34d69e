//! Responses that grow with what the server holds: where they are written, and the memory that they have until their
//! clients have taken them.
//!
//! ```text
//!   a document   written whole, two at a time ─► memory? ─► sent ─► the client has it: memory is free
//!                        ▲                        └─ none: dropped, and written again once there is
//!   rows         ─► memory for the columns ─► a piece of text each time that the client has taken the one before
//! ```
//!
//! Invariants:
//! - Nothing that grows with the data is written on a thread that serves connections: it is written on threads for
//!   blocking work, so many at a time, and half of them for one client address. A thread is never held for a client that
//!   takes its time, and records do not take those of lists.
//! - Whatever is longer than [`UNCOUNTED`] counts in [`Options::answer_memory`] until its last byte is with the operating
//!   system, and in the half that one client address has of it. Who waits for memory holds no text.
//! - Rows that wait for memory hold a quarter of it beside, and those of one client address half of that; who finds no
//!   room there is told to ask again, at once.
//! - Memory is taken at once for all that a response needs: what waits for some holds none that others wait for.
//!
//! Not here: streams of events, whose memory is that of [`crate::http::streams`] and [`crate::routes::views`].

mod columns;
mod memory;

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use factum_base::clients::ClientAddress;
use factum_sql::Rows;
use factum_types::ByteSize;
use futures::poll;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub(crate) use self::columns::RowsRoom;
use self::columns::SharedColumns;
use self::memory::{ResponseMemory, Room};
use crate::Options;
use crate::http::client_limit::ClientLimit;
use crate::http::fair_work::FairWork;
use crate::http::memory_pool::MemoryPool;
use crate::http::problem::Problem;
use crate::metrics;

/// Responses that are shorter cost their connection no more than its buffers do.
pub(crate) const UNCOUNTED: usize = 16 << 10;
/// Documents of one kind written at once.
const DOCUMENTS_AT_ONCE: usize = 2;
/// Requests that wait for the rows of a view or a query at once: each may hold a thread for blocking work.
const READERS: usize = 256;

/// What a document shows, which says whose threads write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// What there is: topics, groups, views. Written in a moment.
    List,
    /// Records, which are read from the log and decoded.
    Records,
}

/// Writes responses, within bounds.
pub(crate) struct Responses {
    lists: FairWork,
    records: FairWork,
    pieces: FairWork,
    readers: Semaphore,
    readers_of_client: Arc<ClientLimit>,
    memory: ResponseMemory,
    /// For rows that wait for memory.
    waiting: MemoryPool,
    waiting_of_client: Arc<ClientLimit>,
    columns: SharedColumns,
    patience: Duration,
}

impl Responses {
    pub(crate) fn new(options: &Options) -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let waiting = options.answer_memory.as_u64() / 4;
        Self {
            lists: FairWork::at_most(DOCUMENTS_AT_ONCE),
            records: FairWork::at_most(DOCUMENTS_AT_ONCE),
            pieces: FairWork::at_most(processors.saturating_sub(1).max(1)),
            readers: Semaphore::new(READERS),
            readers_of_client: ClientLimit::new(READERS / 2),
            memory: ResponseMemory::new(options.answer_memory),
            waiting: MemoryPool::new(ByteSize(waiting)),
            waiting_of_client: ClientLimit::new(usize::try_from(waiting / 2).unwrap_or(usize::MAX)),
            columns: SharedColumns::default(),
            patience: options.snapshot_timeout,
        }
    }

    /// The threads on which pieces of streams are written.
    pub(crate) fn pieces(&self) -> &FairWork {
        &self.pieces
    }

    /// What `make` gives for `client`, made on a thread for blocking work.
    ///
    /// # Errors
    /// As `make`; 503 if others are in the way for too long.
    pub(crate) async fn made<T: Send + 'static, F: Future<Output = Result<T, Problem>>>(
        &self,
        client: ClientAddress,
        kind: DocumentKind,
        make: impl FnOnce() -> F + Send + 'static,
    ) -> Result<T, Problem> {
        let runtime = Handle::current();
        let work = match kind {
            DocumentKind::List => &self.lists,
            DocumentKind::Records => &self.records,
        };
        self.in_time(work.run(client, move || runtime.block_on(make()))).await?
    }

    /// The response with the text that `make` gives for `client`; `make` is called again if there was no memory for what
    /// it gave first.
    ///
    /// # Errors
    /// As `make`; 422 if the text is longer than any client may have; 503 if others are in the way for too long.
    pub(crate) async fn document<F: Future<Output = Result<Vec<u8>, Problem>>>(
        &self,
        client: ClientAddress,
        kind: DocumentKind,
        media_type: &'static str,
        make: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<Response, Problem> {
        let make = Arc::new(make);
        let again = Arc::clone(&make);
        let text = self.made(client, kind, move || again()).await?;
        let text = match text.len() <= UNCOUNTED {
            true => Bytes::from(text),
            false => {
                let length = text.len();
                let mut room = pin!(self.memory.room(client, length));
                match poll!(&mut room) {
                    Poll::Ready(room) => with_room(text, room?),
                    Poll::Pending => {
                        drop(text);
                        let room = self.in_time(room).await??;
                        let text = self.made(client, kind, move || make()).await?;
                        let more = text.len().saturating_sub(length);
                        let more = if more > 0 { Some(self.room_now(client, more).await?) } else { None };
                        with_room(text, (room, more))
                    }
                }
            }
        };
        Ok((Extension(CountedMarker), [(header::CONTENT_TYPE, media_type)], text).into_response())
    }

    /// `bytes` as they are sent to `client`, that others may be sent too: it has memory of its own for them.
    ///
    /// # Errors
    /// 503 if there is none at once; 422 if they are more than any client may have.
    pub(crate) async fn lent(&self, client: ClientAddress, bytes: Bytes) -> Result<Bytes, Problem> {
        if bytes.len() <= UNCOUNTED {
            return Ok(bytes);
        }
        let room = self.room_now(client, bytes.len()).await?;
        Ok(Bytes::from_owner(BytesWithRoom { bytes, _room: room }))
    }

    /// Memory for a response of so many bytes; waits for it in line.
    ///
    /// # Errors
    /// 503 if there is none in time; 422 if it is more than any client may have.
    pub(crate) async fn room(&self, client: ClientAddress, bytes: usize) -> Result<Room, Problem> {
        self.in_time(self.memory.room(client, bytes)).await?
    }

    /// The same without waiting.
    async fn room_now(&self, client: ClientAddress, bytes: usize) -> Result<Room, Problem> {
        match poll!(pin!(self.memory.room(client, bytes))) {
            Poll::Ready(room) => room,
            Poll::Pending => Err(busy()),
        }
    }

    /// Runs `read`, which gives rows for `client`, as one of a bounded number.
    pub(crate) async fn reading<T>(
        &self,
        client: ClientAddress,
        read: impl Future<Output = T>,
    ) -> Result<T, Problem> {
        let admitted = async {
            let share = self.readers_of_client.wait(client, 1).await;
            (share, self.readers.acquire().await.expect("the semaphore is never closed"))
        };
        let _admitted = self.in_time(admitted).await?;
        Ok(read.await)
    }

    /// Memory for the columns of `rows`, which others may be sent as well, and beside them for `text_bytes` of text.
    ///
    /// # Errors
    /// 503 if there is none in time; 422 if it is more than any client may have.
    pub(crate) async fn rows_room(
        &self,
        client: ClientAddress,
        rows: Rows,
        text_bytes: usize,
    ) -> Result<RowsRoom, Problem> {
        let bytes = rows.memory();
        let pool = self.memory.pool(bytes)?;
        self.held_in_line(client, bytes, self.columns.room(client, rows, text_bytes, pool)).await
    }

    /// Memory for a text that is there already, of so many bytes.
    ///
    /// # Errors
    /// As [`Self::rows_room`].
    pub(crate) async fn text_room(&self, client: ClientAddress, bytes: usize) -> Result<Room, Problem> {
        self.held_in_line(client, bytes, self.memory.room(client, bytes)).await?
    }

    /// What `room` gives, for a response that holds so many bytes while it waits for it.
    async fn held_in_line<T>(
        &self,
        client: ClientAddress,
        bytes: usize,
        room: impl Future<Output = T>,
    ) -> Result<T, Problem> {
        let mut room = pin!(room);
        if let Poll::Ready(room) = poll!(&mut room) {
            return Ok(room);
        }
        let _share = self.waiting_of_client.take(client, bytes).ok_or_else(busy)?;
        let _waiting = self.waiting.try_room(bytes).ok_or_else(busy)?;
        self.in_time(room).await
    }

    async fn in_time<T>(&self, wait: impl Future<Output = T>) -> Result<T, Problem> {
        timeout(self.patience, wait).await.map_err(|_| busy())
    }
}

/// Says of a response that its memory is counted already, or no more for each client.
#[derive(Clone)]
pub(crate) struct CountedMarker;

/// Counts what a handler made at once and did not count itself.
///
/// A GET finds no room at once, or it is told to ask again. What tells of something that was done is sent in any case.
pub(crate) async fn count(State(responses): State<Arc<Responses>>, request: Request, next: Next) -> Response {
    let client = request.extensions().get().copied().unwrap_or(ClientAddress::UNKNOWN);
    let changes_nothing = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = next.run(request).await;
    let length = response.body().size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let Some(length) = length.filter(|length| *length > UNCOUNTED) else { return response };
    if response.extensions().get::<CountedMarker>().is_some() {
        return response;
    }
    let (head, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, length).await else { return busy().into_response() };
    // What others hold too, such as a file of the console, is there for all of them once.
    if !bytes.is_unique() {
        return Response::from_parts(head, Body::from(bytes));
    }
    let room = match changes_nothing {
        true => match responses.room_now(client, length).await {
            Ok(room) => Some(room),
            Err(problem) => return problem.into_response(),
        },
        false => responses.room(client, length).await.ok(),
    };
    Response::from_parts(head, Body::from(Bytes::from_owner(BytesWithRoom { bytes, _room: room })))
}

fn busy() -> Problem {
    metrics::observe_busy_answer();
    Problem::unavailable(
        "busy",
        "too many large responses are being sent (http.answer_memory); try again, or ask for fewer rows",
    )
}

/// `bytes` as they are sent, with the memory that is theirs until then.
pub(crate) fn with_room(bytes: Vec<u8>, room: impl Send + 'static) -> Bytes {
    Bytes::from_owner(BytesWithRoom { bytes, _room: room })
}

/// Bytes that a client is being sent, and their memory: free once the last of them is.
struct BytesWithRoom<B, R> {
    bytes: B,
    _room: R,
}

impl<B: AsRef<[u8]>, R> AsRef<[u8]> for BytesWithRoom<B, R> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}
