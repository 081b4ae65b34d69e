//! Patterns for names that clients bring: regular expressions (RE2 syntax) that fit a whole name.
//!
//! Compiling one takes time that its length does not tell: `(?i)\pL` is a table of some thousand ranges. So a pattern is
//! short, is parsed and weighed before it is compiled, and is compiled once.
//!
//! **Invariants:** compiling takes at most some hundredths of a second and `MAX_COMPILED_BYTES`, whatever the text is.
//!
//! **Not here:** the threads that compile and match, which are those of [`crate::fair_work`].

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::parse::ParserBuilder;

use crate::regex_weight;

/// The longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 256;
/// The heaviest pattern: characters, repetitions written out, of which a class of many ranges counts as 200.
pub const MAX_PATTERN_WEIGHT: u64 = 5_000;
/// The most memory that a compiled pattern may take.
const MAX_COMPILED_BYTES: usize = 1 << 20;
/// How deep a pattern may nest.
const MAX_NESTING: u32 = 64;

/// A pattern, compiled.
#[derive(Debug, Clone)]
pub struct NamePattern(Regex);

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamePatternError {
    /// It is too long.
    #[error("it has {bytes} bytes: the limit is {MAX_PATTERN_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It stands for too much.
    #[error(
        "it weighs {weight} characters with its repetitions written out and 200 for a class such as \\w: the limit is \
         {MAX_PATTERN_WEIGHT}"
    )]
    TooHeavy {
        /// Its weight.
        weight: u64,
    },
    /// It is no regular expression.
    #[error("{reason}")]
    Invalid {
        /// Why, in words.
        reason: String,
    },
}

impl NamePattern {
    /// Compiles a pattern. A caller that serves others does it beside them.
    ///
    /// # Errors
    /// [`NamePatternError`]; nothing that is too long or too heavy was compiled.
    pub fn new(pattern: &str) -> Result<Self, NamePatternError> {
        let bytes = pattern.len();
        if bytes > MAX_PATTERN_BYTES {
            return Err(NamePatternError::TooLong { bytes });
        }
        let invalid = |reason: String| NamePatternError::Invalid { reason };
        // By itself first: a group that it closes too early must not be closed by what goes around it.
        let mut parser = ParserBuilder::new().nest_limit(MAX_NESTING).build();
        parser.parse(pattern).map_err(|error| invalid(error.to_string()))?;
        let weight = regex_weight::of(pattern);
        if weight > MAX_PATTERN_WEIGHT {
            return Err(NamePatternError::TooHeavy { weight });
        }
        let built = RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
            .size_limit(MAX_COMPILED_BYTES)
            .dfa_size_limit(MAX_COMPILED_BYTES)
            .nest_limit(MAX_NESTING + 1)
            .build();
        built.map(Self).map_err(|error| invalid(error.to_string()))
    }

    /// Whether it fits the whole of `name`.
    pub fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, name: &str) -> bool {
        NamePattern::new(pattern).expect("a pattern").matches(name)
    }

    #[test]
    fn a_pattern_matches_whole_names() {
        assert!(is_match("store\\..*", "store.orders"));
        assert!(!is_match("store", "store.orders"));
        assert!(is_match("a|b", "b"));
        assert!(!is_match("a|b", "ab"));
        assert!(is_match("(?i)ORDERS", "orders"));
    }

    #[test]
    fn patterns_are_refused_within_limits() {
        for pattern in ["(", "a)(b", "(?=a)b", "\\1", "[z-a]", "(?x)a #"] {
            let refused = NamePattern::new(pattern);
            assert!(matches!(refused, Err(NamePatternError::Invalid { .. })), "{pattern}");
        }
        assert!(NamePattern::new(&"a".repeat(MAX_PATTERN_BYTES)).is_ok());
        NamePattern::new(&"a".repeat(MAX_PATTERN_BYTES + 1)).expect_err("too long");
        NamePattern::new(&"(".repeat(200)).expect_err("too deep");
    }

    #[test]
    fn heavy_patterns_are_not_compiled() {
        for pattern in ["((((a{100}){100}){100}){100})", r"\pL{1,100}", &format!("(?i){}", r"\pL".repeat(80))]
        {
            let refused = NamePattern::new(pattern);
            assert!(matches!(refused, Err(NamePatternError::TooHeavy { .. })), "{pattern}");
        }
        assert!(NamePattern::new(r"[\w.-]+\.v\d{1,4}-[0-9a-f]{8}").is_ok());
    }
}
