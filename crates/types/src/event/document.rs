//! JSON documents: one value, and each name once in its object (RFC 8259 §4, RFC 7493 §2.3).
//!
//! Readers of JSON disagree about a name that is given twice: some take the first member, some the last. An event
//! whose key one reader finds and whose column another would be two facts, so such an event is refused.
//!
//! Invariants: one pass for each check; no allocation for objects of a few members; the depth that is followed is that
//! of every reader here.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::value::RawValue;

use super::Error;

/// The deepest nesting of objects and arrays: what `serde_json` reads into values at most.
const MAX_DEPTH: usize = 127;
/// Objects of so many members are looked through one by one; larger ones have a set.
const FEW_MEMBERS: usize = 16;

/// Whether `data` is one JSON document and nothing else.
///
/// # Errors
/// [`Error::Json`], with the first place that is wrong.
pub fn check_document(data: &[u8]) -> Result<(), Error> {
    serde_json::from_slice::<&RawValue>(data).map(drop).map_err(|error| Error::json(&error))
}

/// Refuses a document in which an object names a member twice, or that is nested too deeply.
///
/// `json` is known to be one JSON document ([`check_document`]). Names that are written differently and mean the same
/// are the same.
///
/// # Errors
/// [`Error::Shape`], with the place of the second member of a name, or of the first bracket that is too deep.
pub fn check_unique_members(json: &[u8]) -> Result<(), Error> {
    let mut names = Names::default();
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        match byte {
            b'{' => names.open(true).map_err(|reason| error(json, at, reason))?,
            b'[' => names.open(false).map_err(|reason| error(json, at, reason))?,
            b'}' | b']' => names.close(),
            b',' => names.next_member(),
            b'"' => {
                let end = end_of_string(json, at);
                names.string(&json[at..end]).map_err(|reason| error(json, at, reason))?;
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Behind the closing quote of the string that begins at `start`.
fn end_of_string(json: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = json.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    json.len()
}

/// What is wrong with the member at `at`, in lines and columns from 1.
fn error(json: &[u8], at: usize, reason: String) -> Error {
    let before = &json[..at];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    Error::Shape { reason, line, column: at - line_start + 1 }
}

/// The names of the objects that are open.
#[derive(Default)]
struct Names<'a> {
    open: Vec<Level<'a>>,
    /// The names of all open objects; those of one lie together.
    names: Vec<Cow<'a, [u8]>>,
}

/// An object or array that is open.
struct Level<'a> {
    is_object: bool,
    /// Whether a string that comes next is a name.
    expects_name: bool,
    /// Where its names begin.
    first_name: usize,
    /// The same names, once they are many.
    many: Option<HashSet<Cow<'a, [u8]>>>,
}

impl<'a> Names<'a> {
    fn open(&mut self, is_object: bool) -> Result<(), String> {
        if self.open.len() == MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let first_name = self.names.len();
        self.open.push(Level { is_object, expects_name: is_object, first_name, many: None });
        Ok(())
    }

    fn close(&mut self) {
        if let Some(level) = self.open.pop() {
            self.names.truncate(level.first_name);
        }
    }

    fn next_member(&mut self) {
        if let Some(level) = self.open.last_mut() {
            level.expects_name = level.is_object;
        }
    }

    /// Takes a string with its quotes, which may be a name.
    fn string(&mut self, quoted: &'a [u8]) -> Result<(), String> {
        let Some(level) = self.open.last_mut().filter(|level| level.expects_name) else { return Ok(()) };
        level.expects_name = false;
        let name = unescaped(quoted);
        let siblings = &self.names[level.first_name..];
        if siblings.len() >= FEW_MEMBERS && level.many.is_none() {
            level.many = Some(siblings.iter().cloned().collect());
        }
        let is_new = match &mut level.many {
            Some(many) => many.insert(name.clone()),
            None => !siblings.contains(&name),
        };
        if !is_new {
            return Err(format!("the member {:?} is given twice", String::from_utf8_lossy(&name)));
        }
        if level.many.is_none() {
            self.names.push(name);
        }
        Ok(())
    }
}

/// What a name with its quotes says.
fn unescaped(quoted: &[u8]) -> Cow<'_, [u8]> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    // A lone surrogate is JSON and no text: such a name is compared as it is written.
    serde_json::from_slice::<String>(quoted)
        .map_or(Cow::Borrowed(inner), |name| Cow::Owned(name.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(json: &str) -> String {
        serde_json::from_str::<&RawValue>(json).expect("JSON");
        check_unique_members(json.as_bytes()).map_or_else(|error| error.to_string(), |()| "unique".to_owned())
    }

    #[test]
    fn a_name_may_be_given_once_in_each_object() {
        for json in [
            r#"{"a":{"a":1},"b":[{"a":1},{"a":2}],"c":"a","d":["a","a"]}"#,
            r#" [ "x" , "x" , {"x":"x"} ] "#,
            r#""a""#,
            "{}",
            r#"{"a":"\"a\":","b":"\\","c":1}"#,
        ] {
            assert_eq!(checked(json), "unique", "{json}");
        }
    }

    #[test]
    fn a_name_given_twice_is_named_with_its_place() {
        for (json, place) in [
            (r#"{"a":1,"a":2}"#, "line 1 column 8"),
            (r#"{"a":1,"\u0061":2}"#, "line 1 column 8"),
            ("{\"b\":[\n {\"a\":{}, \"a\":null}]}", "line 2 column 11"),
        ] {
            assert_eq!(checked(json), format!("the member \"a\" is given twice at {place}"), "{json}");
        }
        let many: Vec<_> = (0..1_000).map(|n| format!("\"m{n}\":{n}")).collect();
        assert_eq!(checked(&format!("{{{}}}", many.join(","))), "unique");
        let twice = checked(&format!("{{{},\"m3\":0}}", many.join(",")));
        assert!(twice.starts_with("the member \"m3\" is given twice"), "{twice}");
    }

    #[test]
    fn nesting_has_a_bound() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(checked(&nested(127)), "unique");
        assert_eq!(checked(&nested(128)), "nested deeper than 127 levels at line 1 column 128");
    }
}
