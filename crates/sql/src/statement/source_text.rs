//! A file of SQL with the places of its lines, so that what the parser says by line and column can be shown.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::sql::sqlparser::tokenizer::{Location, Span};

use crate::definitions::{DeclaredView, PipelineDefinition, Place, Problem, RelationName};

/// So many characters lie between two marks of a text.
const MARK: usize = 256;

/// A text and where its lines begin.
#[derive(Debug, Clone)]
pub(crate) struct SourceText {
    file: PathBuf,
    text: Arc<str>,
    /// The number of the first character of each line, from 0.
    line_starts: Arc<[usize]>,
    /// The byte at which each [`MARK`]th character begins, so that none is sought from the beginning of a long line.
    marks: Arc<[usize]>,
}

impl SourceText {
    pub(crate) fn new(file: &Path, text: Arc<str>) -> Self {
        let after_breaks = text.chars().enumerate().filter(|(_, char)| *char == '\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_breaks).collect();
        let marks = text.char_indices().step_by(MARK).map(|(at, _)| at).collect();
        Self { file: file.to_owned(), text, line_starts, marks }
    }

    pub(crate) fn of(pipeline: &PipelineDefinition) -> Self {
        Self::new(&pipeline.file, Arc::clone(&pipeline.text))
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The text of a query, which lies in no file.
    pub(crate) fn of_query(text: &Arc<str>) -> Self {
        Self::new(Path::new("query"), Arc::clone(text))
    }

    pub(crate) fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
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
        let at = start.saturating_add(column);
        let Some(mark) = self.marks.get(at / MARK).copied() else { return self.text.len() };
        let rest = &self.text[mark..];
        mark + rest.char_indices().nth(at % MARK).map_or(rest.len(), |(at, _)| at)
    }

    pub(crate) fn declared_view(&self, name: RelationName, name_place: Range<usize>) -> DeclaredView {
        DeclaredView { name, file: self.file.clone(), text: Arc::clone(&self.text), name_place }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_in_lines_of_any_length_and_script() {
        let line = "aé漢😀".repeat(300);
        let source = SourceText::new(Path::new(""), format!("{line}\n{line}\nlast").into());
        let text = source.text();
        let (mut line, mut column) = (1, 1);
        for (at, char) in text.char_indices() {
            assert_eq!(source.offset(Location::new(line, column)), at, "{line}:{column}");
            (line, column) = if char == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        assert_eq!(source.offset(Location::new(line, column)), text.len());
        assert_eq!(source.offset(Location::new(line, 1_000)), text.len());
        assert_eq!(source.offset(Location::new(9, 1)), text.len());
    }
}
