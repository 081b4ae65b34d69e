//! One thing a rule has to say about one line.

use std::fmt;
use std::path::PathBuf;

/// Whether a finding stops the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Warning,
    Failure,
}

/// `path:line: rule: what, and what to do`.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Relative to the workspace root.
    pub(crate) path: PathBuf,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) rule: &'static str,
    pub(crate) level: Level,
    /// What is wrong and what to do about it.
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn failure(
        path: impl Into<PathBuf>,
        line: usize,
        rule: &'static str,
        message: String,
    ) -> Self {
        Self { path: path.into(), line, rule, level: Level::Failure, message }
    }

    pub(crate) fn warning(
        path: impl Into<PathBuf>,
        line: usize,
        rule: &'static str,
        message: String,
    ) -> Self {
        Self { level: Level::Warning, ..Self::failure(path, line, rule, message) }
    }

    pub(crate) fn fails(&self) -> bool {
        self.level == Level::Failure
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = if self.fails() { "" } else { " (warning)" };
        write!(f, "{}:{}: {}{level}: {}", self.path.display(), self.line, self.rule, self.message)
    }
}
