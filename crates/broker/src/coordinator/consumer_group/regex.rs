//! Subscriptions by regular expression: the topics that a pattern matches as a whole.
//!
//! Clients bring the pattern (RE2 syntax, KIP-848), so what it may take is bounded: the length of its text and the size
//! of what it compiles to. Matching takes time in proportion to the name.

use ::regex::{Regex, RegexBuilder};
use factum_types::TopicName;

use super::directory::TopicDirectory;
use crate::coordinator::CoordinatorError;

/// The longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 4 << 10;
/// The most memory that a compiled pattern may take.
const MAX_COMPILED_BYTES: usize = 1 << 20;
/// How deep a pattern may nest.
const MAX_NESTING: u32 = 64;

/// The topics that `pattern` matches and `may_see` lets the client see, in order.
///
/// # Errors
/// [`CoordinatorError::InvalidRegex`] if it is no pattern, or too large.
pub(crate) fn matching_topics(
    pattern: &str,
    directory: &dyn TopicDirectory,
    may_see: &dyn Fn(&TopicName) -> bool,
) -> Result<Vec<TopicName>, CoordinatorError> {
    let pattern = compile(pattern)?;
    let mut topics = directory.names();
    topics.retain(|topic| pattern.is_match(topic.as_str()) && may_see(topic));
    topics.sort_unstable();
    Ok(topics)
}

fn compile(pattern: &str) -> Result<Regex, CoordinatorError> {
    if pattern.len() > MAX_PATTERN_BYTES {
        let reason = format!("it has {} bytes; the limit is {MAX_PATTERN_BYTES}", pattern.len());
        return Err(CoordinatorError::InvalidRegex { reason });
    }
    let build = |pattern: &str| {
        let built = RegexBuilder::new(pattern)
            .size_limit(MAX_COMPILED_BYTES)
            .dfa_size_limit(MAX_COMPILED_BYTES)
            .nest_limit(MAX_NESTING)
            .build();
        built.map_err(|error| CoordinatorError::InvalidRegex { reason: error.to_string() })
    };
    // By itself first: a group that it closes too early must not be closed by what goes around it.
    build(pattern)?;
    build(&format!(r"\A(?:{pattern})\z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, name: &str) -> bool {
        compile(pattern).expect("a pattern").is_match(name)
    }

    #[test]
    fn a_pattern_matches_whole_names() {
        assert!(is_match("store\\..*", "store.orders"));
        assert!(!is_match("store", "store.orders"));
        assert!(is_match("a|b", "b"));
        assert!(!is_match("a|b", "ab"));
    }

    #[test]
    fn patterns_are_refused_within_limits() {
        for pattern in ["(", "a)(b", "(?=a)b", "\\1", "((((a{100}){100}){100}){100})", "[z-a]"] {
            let refused = compile(pattern);
            assert!(matches!(refused, Err(CoordinatorError::InvalidRegex { .. })), "{pattern}");
        }
        assert!(compile(&"a".repeat(MAX_PATTERN_BYTES)).is_ok());
        compile(&"a".repeat(MAX_PATTERN_BYTES + 1)).expect_err("too long");
        compile(&"(".repeat(1_000)).expect_err("too deep");
    }
}
