//! A file of SQL with the places of its lines, so that what the parser says by line and column can be shown.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::sql::sqlparser::tokenizer::{Location, Span};

use crate::definitions::{PipelineDefinition, Place, Problem};

/// A text and where its lines begin.
#[derive(Debug, Clone)]
pub(crate) struct SourceText {
    file: PathBuf,
    text: Arc<str>,
    line_starts: Vec<usize>,
}

impl SourceText {
    pub(crate) fn new(file: &Path, text: Arc<str>) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_breaks).collect();
        Self { file: file.to_owned(), text, line_starts }
    }

    pub(crate) fn of(pipeline: &PipelineDefinition) -> Self {
        Self::new(&pipeline.file, Arc::clone(&pipeline.text))
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of a span of the parser; `None` for the empty one that made-up syntax has.
    pub(crate) fn range(&self, span: Span) -> Option<Range<usize>> {
        if span.start.line == 0 {
            return None;
        }
        let start = self.offset(span.start);
        Some(start..self.offset(span.end).max(start))
    }

    /// The byte at a line and column, both counted in characters from 1.
    pub(crate) fn offset(&self, place: Location) -> usize {
        let line = usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(start) = self.line_starts.get(line).copied() else { return self.text.len() };
        let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let rest = &self.text[start..];
        start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
    }

    pub(crate) fn problem(&self, span: Range<usize>, message: impl Into<String>) -> Problem {
        Problem {
            place: Place::File(self.file.clone()),
            text: Arc::clone(&self.text),
            span,
            message: message.into(),
            help: None,
        }
    }
}
