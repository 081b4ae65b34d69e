//! Lines from a file or standard input, in batches.
//!
//! Invariants: a line is JSON, or it ends the reading with its number; memory is bounded by a batch and a line.
//! A thread reads, because standard input may be a person; what has come is sent after a moment of silence.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use miette::Diagnostic;
use serde::de::IgnoredAny;
use tokio::sync::mpsc;

/// A batch is sent before it grows beyond this: topics take about a mebibyte at once.
const MAX_BATCH_BYTES: usize = 512 * 1024;
/// No event that a server takes is longer.
const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;
/// What some editors and shells put before text in UTF-8; none of it, as in files of a project.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// How long an unfinished batch waits for the next line.
const LINGER: Duration = Duration::from_millis(100);

/// Why no further line could be had.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(super) enum ReadError {
    /// The file cannot be opened.
    #[error("cannot open {}", .path.display())]
    #[diagnostic(help("without --file the lines come from standard input"))]
    Open {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Reading failed.
    #[error("read line {line}")]
    Read {
        line: u64,
        #[source]
        source: io::Error,
    },
    /// A line that is not JSON.
    #[error("line {line} is not JSON: {reason} (column {column})")]
    NotJson { line: u64, column: usize, reason: String },
    /// A line without end.
    #[error("line {line} is longer than {} MiB", MAX_LINE_BYTES / 1024 / 1024)]
    TooLong { line: u64 },
}

/// Lines that are sent together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The lines, each with its line break.
    pub(super) body: Bytes,
    /// Their numbers, from 1; blank lines are left out, so they may have gaps.
    pub(super) lines: Vec<u64>,
    /// Bytes of the input that they take up.
    pub(super) bytes_read: u64,
}

impl Batch {
    /// The number of the first line.
    pub(super) fn first_line(&self) -> u64 {
        self.lines.first().copied().unwrap_or(0)
    }

    /// The number of the last line.
    pub(super) fn last_line(&self) -> u64 {
        self.lines.last().copied().unwrap_or(0)
    }
}

#[derive(Debug)]
struct Line {
    number: u64,
    text: Vec<u8>,
    bytes_read: u64,
}

/// The batches of one input.
pub(super) struct Batches {
    lines: mpsc::Receiver<Result<Line, ReadError>>,
    total_bytes: Option<u64>,
    size: usize,
    /// A line that did not fit into the last batch.
    left: Option<Line>,
}

impl Batches {
    /// Begins to read `file`, or standard input.
    pub(super) fn open(file: Option<&Path>, size: usize) -> Result<Self, ReadError> {
        let mut total_bytes = None;
        let input: Box<dyn Read + Send> = match file {
            Some(path) if path != Path::new("-") => {
                let open = |source| ReadError::Open { path: path.to_owned(), source };
                let file = File::open(path).map_err(open)?;
                total_bytes =
                    file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
                Box::new(file)
            }
            _ => Box::new(io::stdin()),
        };
        let (sender, lines) = mpsc::channel(1024);
        drop(tokio::task::spawn_blocking(move || read(BufReader::with_capacity(64 * 1024, input), &sender)));
        Ok(Self { lines, total_bytes, size, left: None })
    }

    /// Bytes in all, for a file.
    pub(super) fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// The next batch; `None` at the end. With an error come the lines before it.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>, (Option<Batch>, ReadError)> {
        let mut body = Vec::new();
        let mut batch = Batch::default();
        loop {
            let line = match self.left.take() {
                Some(line) => Some(Ok(line)),
                None if batch.lines.is_empty() => self.lines.recv().await,
                None => match tokio::time::timeout(LINGER, self.lines.recv()).await {
                    Ok(line) => line,
                    Err(_) => break,
                },
            };
            match line {
                None => break,
                Some(Err(error)) => {
                    batch.body = body.into();
                    return Err(((!batch.lines.is_empty()).then_some(batch), error));
                }
                Some(Ok(line)) if !body.is_empty() && body.len() + line.text.len() > MAX_BATCH_BYTES => {
                    self.left = Some(line);
                    break;
                }
                Some(Ok(line)) => {
                    body.extend_from_slice(&line.text);
                    body.push(b'\n');
                    batch.lines.push(line.number);
                    batch.bytes_read += line.bytes_read;
                }
            }
            if batch.lines.len() >= self.size {
                break;
            }
        }
        batch.body = body.into();
        Ok((!batch.lines.is_empty()).then_some(batch))
    }
}

/// Sends every line that is not blank, up to the first that is not JSON.
fn read(mut input: impl BufRead, sender: &mpsc::Sender<Result<Line, ReadError>>) {
    let mut number = 0;
    let mut skipped = 0;
    loop {
        number += 1;
        let line = match read_line(&mut input, number) {
            Ok(None) => return,
            Ok(Some(line)) => check(line),
            Err(error) => Err(error),
        };
        let line = match line {
            Ok(line) if line.text.is_empty() => {
                skipped += line.bytes_read;
                continue;
            }
            Ok(line) => Ok(Line { bytes_read: line.bytes_read + std::mem::take(&mut skipped), ..line }),
            Err(error) => Err(error),
        };
        let is_last = line.is_err();
        if sender.blocking_send(line).is_err() || is_last {
            return;
        }
    }
}

fn read_line(input: &mut impl BufRead, number: u64) -> Result<Option<Line>, ReadError> {
    let mut text = Vec::new();
    let limit = MAX_LINE_BYTES as u64 + 1;
    let read = input.take(limit).read_until(b'\n', &mut text);
    let bytes_read = read.map_err(|source| ReadError::Read { line: number, source })? as u64;
    if bytes_read == 0 {
        return Ok(None);
    }
    if number == 1 && text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
    }
    if bytes_read == limit && text.last() != Some(&b'\n') {
        return Err(ReadError::TooLong { line: number });
    }
    Ok(Some(Line { number, text: text.trim_ascii().to_vec(), bytes_read }))
}

fn check(line: Line) -> Result<Line, ReadError> {
    if line.text.is_empty() {
        return Ok(line);
    }
    match serde_json::from_slice::<IgnoredAny>(&line.text) {
        Ok(IgnoredAny) => Ok(line),
        Err(error) => {
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
            Err(ReadError::NotJson { line: line.number, column: error.column(), reason })
        }
    }
}
