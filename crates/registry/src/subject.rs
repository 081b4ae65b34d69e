//! Subjects: names under which schemas are registered, each in a context.
//!
//! ```text
//!   orders-value            subject `orders-value` of the default context
//!   :.staging:orders-value  subject `orders-value` of context `.staging`
//!   :.staging:              context `.staging` itself, for its configuration and mode
//! ```

use std::fmt;
use std::sync::Arc;

/// The context of subjects that name none.
pub const DEFAULT_CONTEXT: &str = ".";
/// Bytes of a subject's name with its context, at most.
pub const MAX_SUBJECT_BYTES: usize = 1024;

/// Its configuration and mode hold for all contexts that have none of their own.
pub(crate) const GLOBAL_CONTEXT: &str = ".__GLOBAL";
/// Names that Confluent's registry keeps for itself.
const RESERVED: [&str; 2] = ["__GLOBAL", "__EMPTY"];

/// A subject, or a context as a whole if its name is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// Begins with a dot; [`DEFAULT_CONTEXT`] is one dot alone.
    context: Arc<str>,
    name: Arc<str>,
}

/// Text that is no subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubject {
    /// Nothing at all.
    #[error("a subject has a name")]
    Empty,
    /// Over the limit.
    #[error("subject too long: {bytes} bytes, at most {MAX_SUBJECT_BYTES} are possible")]
    TooLong {
        /// Its size.
        bytes: usize,
    },
    /// It has a control character.
    #[error("subject {text:?} has a control character")]
    ControlCharacter {
        /// As it was given.
        text: String,
    },
    /// Confluent's registry keeps the name for itself.
    #[error("subject {text:?} is reserved")]
    Reserved {
        /// As it was given.
        text: String,
    },
}

impl Subject {
    /// Reads `[:.context:]name`; the name may be empty where there is a context.
    ///
    /// # Errors
    /// [`InvalidSubject`].
    pub fn parse(text: &str) -> Result<Self, InvalidSubject> {
        if text.is_empty() {
            return Err(InvalidSubject::Empty);
        }
        if text.len() > MAX_SUBJECT_BYTES {
            return Err(InvalidSubject::TooLong { bytes: text.len() });
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidSubject::ControlCharacter { text: text.to_owned() });
        }
        let (context, name) = match text.strip_prefix(':').filter(|rest| rest.starts_with('.')) {
            Some(rest) => rest.split_once(':').unwrap_or((rest, "")),
            None => (DEFAULT_CONTEXT, text),
        };
        if RESERVED.contains(&name) {
            return Err(InvalidSubject::Reserved { text: text.to_owned() });
        }
        Ok(Self { context: context.into(), name: name.into() })
    }

    /// The context itself, which begins with a dot.
    pub fn of_context(context: &str) -> Self {
        Self { context: context.into(), name: "".into() }
    }

    /// The subject `name` of `context`.
    pub(crate) fn in_context(context: &str, name: &str) -> Self {
        Self { context: context.into(), name: name.into() }
    }

    /// The context, `.` if none was named.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The name in its context.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a context as a whole.
    pub fn is_context(&self) -> bool {
        self.name.is_empty()
    }

    /// Whether it is in the context of subjects that name none.
    pub fn is_in_default_context(&self) -> bool {
        &*self.context == DEFAULT_CONTEXT
    }

    /// The subject that `reference` names in a schema of this subject: in the same context, unless it says another.
    ///
    /// # Errors
    /// [`InvalidSubject`].
    pub(crate) fn referred(&self, reference: &str) -> Result<Self, InvalidSubject> {
        let named = Self::parse(reference)?;
        match reference.starts_with(":.") {
            true => Ok(named),
            false => Ok(Self { context: Arc::clone(&self.context), ..named }),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_in_default_context() && !self.is_context() {
            true => f.write_str(&self.name),
            false => write!(f, ":{}:{}", self.context, self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_written_as_they_are_read() {
        for (text, context, name) in [
            ("orders-value", ".", "orders-value"),
            (":.staging:orders-value", ".staging", "orders-value"),
            (":.staging:", ".staging", ""),
            (":odd", ".", ":odd"),
            ("a:b:c", ".", "a:b:c"),
            (":.a:b:c", ".a", "b:c"),
        ] {
            let subject = Subject::parse(text).expect(text);
            assert_eq!((subject.context(), subject.name()), (context, name), "{text}");
            assert_eq!(subject.to_string(), text);
        }
        assert_eq!(Subject::parse(":.staging").expect("a context").to_string(), ":.staging:");
        assert_eq!(Subject::parse(":.:a").expect("the default context").to_string(), "a");
    }

    #[test]
    fn text_that_is_no_subject_is_refused() {
        for text in ["", "a\nb", "__GLOBAL", ":.a:__EMPTY", &"x".repeat(1025)] {
            Subject::parse(text).expect_err(text);
        }
    }

    #[test]
    fn a_reference_stays_in_the_context_unless_it_names_one() {
        let subject = Subject::parse(":.staging:orders").expect("valid");
        for (reference, referred) in
            [("money", ":.staging:money"), (":.shared:money", ":.shared:money"), (":.:money", "money")]
        {
            assert_eq!(subject.referred(reference).expect("valid").to_string(), referred);
        }
    }
}
