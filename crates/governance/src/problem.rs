//! Errors and warnings of a project, at their place in the user's own file.

mod excerpt;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};
use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// What it concerns stays as it was applied last until it is put right; the rest is applied.
    Error,
    /// The rest is applied; this part has no effect.
    Warning,
}

/// One thing that is wrong: what, where, and what to do about it.
#[derive(Debug, Clone)]
pub struct Problem {
    severity: Severity,
    message: String,
    file: PathBuf,
    place: Option<Box<Place>>,
    help: Option<String>,
}

#[derive(Debug, Clone)]
struct Place {
    source: Arc<NamedSource<Arc<str>>>,
    span: SourceSpan,
    label: Option<String>,
}

impl Problem {
    /// A problem with the whole of `file` (a path relative to the project).
    pub fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            file: file.to_owned(),
            place: None,
            help: None,
        }
    }

    /// A problem with the bytes of `span` in `file`.
    pub(crate) fn at(
        file: &Path,
        source: &Arc<NamedSource<Arc<str>>>,
        span: SourceSpan,
        message: impl Into<String>,
    ) -> Self {
        let place = Place { source: Arc::clone(source), span, label: None };
        Self { place: Some(Box::new(place)), ..Self::of_file(file, message) }
    }

    /// A problem with the bytes of `span` in `file`, whose text is `text`: for those who read what a project holds,
    /// such as its SQL. A span beyond the text falls on its end.
    pub fn in_text(
        file: &Path,
        text: Arc<str>,
        span: Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        let from = span.start.min(text.len());
        let length = span.end.min(text.len()).saturating_sub(from);
        let source = Arc::new(NamedSource::new(file.to_string_lossy(), text));
        Self { help, ..Self::at(file, &source, (from, length).into(), message) }
    }

    /// The same, with a word under the place.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(place) = &mut self.place {
            place.label = Some(label.into());
        }
        self
    }

    /// The same, with what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, as a warning.
    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The file, relative to the project's folder.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What to do, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Where it belongs among others: by file, then by place.
    pub(crate) fn order(&self) -> (&Path, usize) {
        (&self.file, self.place.as_ref().map_or(0, |place| place.span.offset()))
    }

    /// Whether the other says the same of the same place.
    pub fn is_same(&self, other: &Self) -> bool {
        self.order() == other.order() && self.message == other.message
    }

    /// The line of the place and the one before it, numbered, with marks and a word under the place: for readers who do not have
    /// the file at hand. Long lines are cut around the place.
    pub fn excerpt(&self) -> Option<String> {
        let place = self.place.as_ref()?;
        let excerpt = excerpt::of(place.source.inner(), place.span.offset(), place.span.len());
        Some(match &place.label {
            Some(label) => format!("{excerpt} {label}"),
            None => excerpt,
        })
    }

    /// Line and column, both from 1, where the problem has a place in its file.
    pub fn line_and_column(&self) -> Option<(usize, usize)> {
        let place = self.place.as_ref()?;
        let contents = place.source.read_span(&place.span, 0, 0).ok()?;
        Some((contents.line() + 1, contents.column() + 1))
    }
}

/// The message; a problem without a place names its file, since nothing else would.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(_) => f.write_str(&self.message),
            None => write!(f, "{}: {}", self.file.display(), self.message),
        }
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|place| &place.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        let label = LabeledSpan::new_primary_with_span(place.label.clone(), place.span);
        Some(Box::new(std::iter::once(label)))
    }
}

/// `{severity, message, file, line, column, help, excerpt}`: how the HTTP interface and the console see it.
impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let place = self.line_and_column();
        let mut out = serializer.serialize_struct("Problem", 7)?;
        out.serialize_field("severity", &self.severity)?;
        out.serialize_field("message", &self.message)?;
        out.serialize_field("file", &self.file.to_string_lossy())?;
        out.serialize_field("line", &place.map(|(line, _)| line))?;
        out.serialize_field("column", &place.map(|(_, column)| column))?;
        out.serialize_field("help", &self.help)?;
        out.serialize_field("excerpt", &self.excerpt())?;
        out.end()
    }
}
