//! Full names of types: a namespace and a simple name.

/// What the kinds of types are called; a type of such a name is referred to by its full name.
const TYPE_NAMES: &[&str] = &[
    "record", "enum", "array", "map", "union", "fixed", "string", "bytes", "int", "long", "float", "double",
    "boolean", "null",
];

/// The most bytes of a full name, and of the name of a field or symbol: nested types repeat their namespace.
const MAX_NAME: usize = 1_024;

/// A full name.
///
/// Invariants: the simple name is valid; there is no namespace that is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    full: String,
    /// Where the simple name begins.
    simple: usize,
}

impl Name {
    /// `text` within `namespace`, which counts only where the text has no dot.
    ///
    /// # Errors
    ///
    /// A sentence that says what is invalid in it.
    pub(crate) fn new(text: &str, namespace: Option<&str>) -> Result<Self, String> {
        let (namespace, simple) = match text.rsplit_once('.') {
            Some((namespace, simple)) => (Some(namespace), simple),
            None => (namespace, text),
        };
        check_name(simple)?;
        let namespace = namespace.filter(|namespace| !namespace.is_empty());
        if text.len() + namespace.map_or(0, str::len) > MAX_NAME {
            return Err(format!("name too long: the limit is {MAX_NAME} bytes with its namespace"));
        }
        let full = namespace.map_or_else(|| simple.to_owned(), |namespace| format!("{namespace}.{simple}"));
        Ok(Self { simple: full.len() - simple.len(), full })
    }

    pub(crate) fn full(&self) -> &str {
        &self.full
    }

    pub(crate) fn simple(&self) -> &str {
        &self.full[self.simple..]
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.full[..self.simple].strip_suffix('.')
    }

    /// The shortest text that means this name within `namespace`.
    pub(crate) fn within(&self, namespace: Option<&str>) -> &str {
        let is_same = self.namespace().is_some() && self.namespace() == namespace;
        if is_same && !TYPE_NAMES.contains(&self.simple()) { self.simple() } else { self.full() }
    }

    /// # Errors
    ///
    /// A part of the namespace is no name.
    pub(crate) fn check_namespace(&self) -> Result<(), String> {
        let mut parts = self.namespace().into_iter().flat_map(|namespace| namespace.split('.'));
        parts.try_for_each(|part| check_name(part).map_err(|reason| format!("invalid namespace: {reason}")))
    }
}

/// Checks a simple name: letters of any language, digits, `_`, and no digit first.
///
/// # Errors
///
/// A sentence that says what is invalid in it.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_letter = |letter: char| letter == '_' || (letter.is_alphabetic() && letter <= '\u{ffff}');
    if name.len() > MAX_NAME {
        return Err(format!("name too long: the limit is {MAX_NAME} bytes"));
    }
    let mut letters = name.chars();
    let first = letters.next().ok_or("invalid name \"\": it is empty")?;
    if !is_letter(first) {
        return Err(format!("invalid name {name:?}: it begins with {first:?}, and not with a letter or _"));
    }
    let other = letters.find(|letter| !(is_letter(*letter) || letter.is_numeric() && *letter <= '\u{ffff}'));
    other.map_or(Ok(()), |other| Err(format!("invalid name {name:?}: {other:?} is no letter, digit or _")))
}
