//! A file of a project, read whole and within bounds.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{NamedSource, SourceSpan};

use crate::problem::Problem;
use crate::project_files::{ProjectFiles, ReadFileError, is_unanswered};

/// No manifest or contract that a person writes is larger.
const MAX_BYTES: u64 = 1024 * 1024;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A readable text file.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// Relative to the project's folder.
    pub(crate) path: PathBuf,
    pub(crate) text: Arc<str>,
    source: Arc<NamedSource<Arc<str>>>,
}

impl SourceFile {
    /// Reads the file at `path`. Anything but a regular UTF-8 file of at most a mebibyte is a problem, said at once:
    /// a pipe would wait forever, a huge file would fill the memory.
    pub(crate) fn read(files: &ProjectFiles, path: &Path) -> Result<Self, Problem> {
        Self::read_within(MAX_BYTES, "a manifest is a short text; is this the right file?", files, path)
    }

    /// The same with another bound, and what to do about a file that passes it.
    pub(crate) fn read_within(
        max_bytes: u64,
        advice: &str,
        files: &ProjectFiles,
        path: &Path,
    ) -> Result<Self, Problem> {
        let bytes = files.read(path, max_bytes).map_err(|error| match error {
            ReadFileError::NotRegular => Problem::of_file(path, "it is not a regular file")
                .help("a text file is wanted here; remove it or rename it"),
            ReadFileError::NotOnDisk => Problem::of_file(path, "the system makes this file up as it is read")
                .help("a text file on a disk is wanted here; see where the symbolic link leads"),
            ReadFileError::Io(error) => explain(path, &error),
        })?;
        if bytes.len() as u64 > max_bytes {
            let message = format!("the file is larger than {} KiB", max_bytes / 1024);
            return Err(Problem::of_file(path, message).help(advice));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            Problem::of_file(path, format!("line {line} is not UTF-8 (byte {at} of the file)"))
                .help("save the file in the UTF-8 encoding")
        })?;
        // Some editors begin each file that they save with a byte order mark. It is part of no format that is read here.
        Ok(Self::new(path, text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text)))
    }

    pub(crate) fn new(path: &Path, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let source = Arc::new(NamedSource::new(path.to_string_lossy(), Arc::clone(&text)));
        Self { path: path.to_owned(), text, source }
    }

    /// A problem at `span`.
    pub(crate) fn problem(&self, span: SourceSpan, message: impl Into<String>) -> Problem {
        Problem::at(&self.path, &self.source, span, message)
    }

    /// What of `span` lies on its first line.
    pub(crate) fn first_line(&self, span: SourceSpan) -> SourceSpan {
        let text = self.text.get(span.offset()..span.offset() + span.len()).unwrap_or("");
        (span.offset(), text.lines().next().unwrap_or("").trim_end().len()).into()
    }

    /// The span of one character at a line and column counted from 1, as parsers report them; column 0 and
    /// places past the end fall on the nearest character.
    pub(crate) fn span_of(&self, line: usize, column: usize) -> SourceSpan {
        let starts = std::iter::once(0).chain(self.text.match_indices('\n').map(|(at, _)| at + 1));
        let start = starts.take(line.max(1)).last().unwrap_or(0);
        let at = (start + column.saturating_sub(1)).min(self.text.len());
        let at = (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
        let length = self.text[at..].chars().next().map_or(0, char::len_utf8);
        (at, length).into()
    }
}

/// Why a path could not be read, in the user's words.
pub(crate) fn explain(path: &Path, error: &io::Error) -> Problem {
    let problem = Problem::of_file(path, format!("cannot be read: {error}"));
    match error.kind() {
        _ if is_unanswered(error) => problem.help(
            "see whether the file system that it is on, or leads to as a symbolic link, answers; it is read again when it does",
        ),
        io::ErrorKind::PermissionDenied => problem.help("give yourself the right to read it"),
        io::ErrorKind::NotFound => problem.help("if it is a symbolic link, its target is missing"),
        _ => problem.help("if it is a symbolic link, see where it leads"),
    }
}
