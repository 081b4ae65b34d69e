//! Rows written in one of their forms, a piece at a time.
//!
//! Invariant: beside its rows a writer holds nothing; a piece is as long as asked for, and one row longer at most.

use factum_sql::{Rows, render};

use super::{Form, without_rows};
use crate::http::json;
use crate::http::problem::Problem;

/// What stands before the rows in [`RowsView`](factum_api::rows::RowsView) as JSON.
const BEFORE_ROWS: &[u8] = b"{\"rows\":[";

/// Writes rows in one form.
pub(crate) struct RowsWriter {
    rows: Rows,
    /// The batch to go on with, and the row in it.
    next: (usize, usize),
    form: FormState,
    progress: Progress,
}

/// What each form needs to be gone on with.
enum FormState {
    /// What stands behind the rows.
    Json(Vec<u8>),
    Csv,
    Arrow(Box<render::ArrowStream>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Begin,
    FirstRow,
    Rows,
    End,
}

impl RowsWriter {
    /// A writer that has written nothing yet.
    ///
    /// # Errors
    /// [`Problem`], where a column cannot be written in this form.
    pub(crate) fn new(form: Form, rows: Rows) -> Result<Self, Problem> {
        let form = match form {
            Form::Json => {
                let mut around = json::line(&without_rows(&rows));
                FormState::Json(around.split_off(BEFORE_ROWS.len()))
            }
            Form::Csv => FormState::Csv,
            Form::Arrow => {
                FormState::Arrow(Box::new(render::ArrowStream::begin(&rows.schema).map_err(unwritten)?))
            }
        };
        Ok(Self { rows, next: (0, 0), form, progress: Progress::Begin })
    }

    /// Whether everything was written.
    pub(crate) fn is_done(&self) -> bool {
        self.progress == Progress::End
    }

    /// The next piece, of about `enough` bytes; shorter at the end.
    ///
    /// # Errors
    /// [`Problem`], where a value cannot be written in this form.
    pub(crate) fn next_piece(&mut self, enough: usize) -> Result<Vec<u8>, Problem> {
        let mut piece = Vec::with_capacity(enough.min(self.rows.memory()));
        if self.progress == Progress::Begin {
            self.begin(&mut piece)?;
            self.progress = Progress::FirstRow;
        }
        while piece.len() < enough && self.progress != Progress::End {
            match self.skip_to_row() {
                true => self.write_rows(enough, &mut piece)?,
                false => self.finish(&mut piece)?,
            }
        }
        Ok(piece)
    }

    /// Whether there is a row to go on with.
    fn skip_to_row(&mut self) -> bool {
        let (batch, row) = &mut self.next;
        while self.rows.batches.get(*batch).is_some_and(|found| *row >= found.num_rows()) {
            (*batch, *row) = (*batch + 1, 0);
        }
        *batch < self.rows.batches.len()
    }

    fn begin(&self, piece: &mut Vec<u8>) -> Result<(), Problem> {
        match &self.form {
            FormState::Json(_) => piece.extend_from_slice(BEFORE_ROWS),
            FormState::Csv => piece.extend(render::csv_header(&self.rows.schema).map_err(unwritten)?),
            // Its beginning is written with the first rows.
            FormState::Arrow(_) => {}
        }
        Ok(())
    }

    /// Writes one row, or several where the form is cheaper so.
    fn write_rows(&mut self, enough: usize, piece: &mut Vec<u8>) -> Result<(), Problem> {
        let (batch, row) = self.next;
        let batch = &self.rows.batches[batch];
        let mut written = 1;
        match &mut self.form {
            FormState::Json(_) => {
                if self.progress == Progress::Rows {
                    piece.push(b',');
                }
                json::append(piece, &render::json_row(batch, row));
            }
            FormState::Csv => piece.extend(render::csv_row(batch, row).map_err(unwritten)?),
            FormState::Arrow(stream) => {
                let row_bytes = (batch.get_array_memory_size() / batch.num_rows()).max(1);
                written = (enough / row_bytes).clamp(1, batch.num_rows() - row);
                stream.write(batch, row, written).map_err(unwritten)?;
                piece.extend(stream.take());
            }
        }
        self.next.1 += written;
        self.progress = Progress::Rows;
        Ok(())
    }

    fn finish(&mut self, piece: &mut Vec<u8>) -> Result<(), Problem> {
        match &mut self.form {
            FormState::Json(behind) => piece.append(behind),
            FormState::Csv => {}
            FormState::Arrow(stream) => {
                stream.finish().map_err(unwritten)?;
                piece.extend(stream.take());
            }
        }
        self.progress = Progress::End;
        Ok(())
    }
}

/// The rows as JSON, wholly: for a text that many are sent.
pub(crate) fn json_text(rows: &Rows) -> Vec<u8> {
    let mut around = json::line(&without_rows(rows));
    around.pop();
    let behind = around.split_off(BEFORE_ROWS.len());
    let mut text = around;
    for (at, batch) in rows.batches.iter().filter(|batch| batch.num_rows() > 0).enumerate() {
        if at > 0 {
            text.push(b',');
        }
        render::append_json(&mut text, batch);
    }
    text.extend_from_slice(&behind);
    text
}

fn unwritten(error: impl std::fmt::Display) -> Problem {
    Problem::refused(format_args!("the rows cannot be written in this form: {error}"))
}
