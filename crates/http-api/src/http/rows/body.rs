//! The body of a response of rows: written a piece at a time, as its client takes them.
//!
//! Invariant: the text of many rows is never there whole; what is there counts in the memory of responses.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use factum_base::clients::ClientAddress;
use factum_sql::Rows;
use futures::{StreamExt, stream};
use tracing::debug;

use super::writer::RowsWriter;
use crate::http::fair_work::FairWork;
use crate::http::problem::Problem;
use crate::http::responses::{self, Responses, RowsRoom, UNCOUNTED};
use crate::http::server_sent::FRAME_BYTES;

/// Pieces of text that one response has: one that is being sent, one that is ready.
const PIECES: usize = 2;

/// The body of `rows`, which `writer` writes. Those that are few are written at once; the columns of many are
/// kept, and a piece of their text is written when the client has taken the one before.
///
/// # Errors
/// 503 if others are in the way for too long; 422 if the columns are more than any client may have, or the rows cannot be
/// written.
pub(crate) async fn body(
    responses: &Responses,
    client: ClientAddress,
    writer: RowsWriter,
    rows: Rows,
) -> Result<Body, Problem> {
    let pieces = responses.pieces();
    let (writer, first) = next_piece(pieces, client, writer).await;
    let first = first?;
    if writer.is_done() {
        return Ok(match first.len() <= UNCOUNTED {
            true => Body::from(first),
            false => {
                let room = responses.text_room(client, first.len()).await?;
                Body::from(responses::with_room(first, room))
            }
        });
    }
    let room = Arc::new(responses.rows_room(client, rows, PIECES * FRAME_BYTES).await?);
    let first = responses::with_room(first, Arc::clone(&room));
    let rest = RestOfRows { writer: Some(writer), client, room, pieces: pieces.clone() };
    let first = stream::once(async move { Ok::<_, std::io::Error>(first) });
    let rest = stream::unfold(rest, |mut rest| async { Some((rest.next().await?, rest)) });
    Ok(Body::from_stream(first.chain(rest)))
}

/// A response of rows that is under way.
struct RestOfRows {
    /// None once a piece could not be written.
    writer: Option<RowsWriter>,
    client: ClientAddress,
    room: Arc<RowsRoom>,
    pieces: FairWork,
}

impl RestOfRows {
    /// The next piece. An error cuts the response off, which its client sees: its end is missing.
    async fn next(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        let writer = self.writer.take().filter(|writer| !writer.is_done())?;
        let (writer, piece) = next_piece(&self.pieces, self.client, writer).await;
        match piece {
            Ok(piece) => {
                self.writer = Some(writer);
                Some(Ok(responses::with_room(piece, Arc::clone(&self.room))))
            }
            Err(problem) => {
                debug!(problem = problem.detail(), "a response was cut off");
                Some(Err(std::io::Error::other("the rows cannot be written in this form")))
            }
        }
    }
}

async fn next_piece(
    pieces: &FairWork,
    client: ClientAddress,
    mut writer: RowsWriter,
) -> (RowsWriter, Result<Vec<u8>, Problem>) {
    let write = move || {
        let piece = writer.next_piece(FRAME_BYTES);
        (writer, piece)
    };
    pieces.run(client, write).await
}
