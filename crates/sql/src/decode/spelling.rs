//! Fields that events spell otherwise than their schema: `EMAIL` where the column is `email`.
//!
//! Names in JSON are matched exactly, so such a column is NULL. That is right, and hardly ever what was meant: it is said to
//! who reads the rows, and in the log once for each topic and field.
//!
//! Invariants: what is remembered is bounded by the fields of schemas, whatever events hold.

use std::collections::BTreeSet;

use arrow::datatypes::Fields;
use factum_types::TopicName;
use parking_lot::Mutex;
use tracing::warn;

/// Names beyond this are not compared: no field that people name is longer.
const LONGEST_NAME: usize = 256;
/// Topics and fields that are remembered as logged.
const MOST_LOGGED: usize = 10_000;

/// A field, and how events without it spell it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OtherSpelling {
    /// The field of the schema, with dots.
    pub(crate) field: String,
    /// The member of the event's object.
    pub(crate) found: String,
}

impl OtherSpelling {
    /// What it means for those who read the column.
    pub(crate) fn reason(&self, topic: &TopicName) -> String {
        let Self { field, found } = self;
        format!(
            "events of {topic} have `{found}` in place of `{field}`; names in JSON must match exactly: rename it in the events, \
             or in the contract"
        )
    }
}

/// Logs each field of a topic once.
#[derive(Debug, Default)]
pub(crate) struct SpellingLog(Mutex<BTreeSet<(TopicName, String)>>);

impl SpellingLog {
    /// Warns of a spelling, unless that was done for this field.
    pub(crate) fn warn(&self, topic: &TopicName, spelling: &OtherSpelling) {
        let mut logged = self.0.lock();
        if logged.len() < MOST_LOGGED && logged.insert((topic.clone(), spelling.field.clone())) {
            let OtherSpelling { field, found } = spelling;
            warn!(%topic, field, found, "events spell a field otherwise; its column is null");
        }
    }
}

/// The spellings of the fields of one object.
#[derive(Debug)]
pub(super) struct Spellings {
    /// Names that are columns of their own, or would be if they were read.
    known: Fields,
    fields: Vec<State>,
    /// The first letter of each field in lower case; most members differ there already.
    firsts: Vec<u8>,
    /// Of the object that is being read: the field, and its other spelling.
    candidates: Vec<(usize, String)>,
}

#[derive(Debug, Clone)]
enum State {
    AsNamed,
    Found(String),
    Taken,
}

impl Spellings {
    /// Of the columns `fields` of an object whose members are `known`.
    pub(super) fn new(fields: &Fields, known: &Fields) -> Self {
        let states = vec![State::AsNamed; fields.len()];
        let firsts = fields.iter().map(|field| first(field.name())).collect();
        Self { known: known.clone(), fields: states, firsts, candidates: Vec::new() }
    }

    /// An object begins.
    pub(super) fn begin(&mut self) {
        self.candidates.clear();
    }

    /// The object has a member that is none of the columns `fields`.
    pub(super) fn see(&mut self, name: &str, fields: &Fields) {
        if name.len() > LONGEST_NAME {
            return;
        }
        let letter = first(name);
        let begins_alike = |place: &usize| self.firsts[*place] == letter;
        let is_open = |place: &usize| matches!(self.fields[*place], State::AsNamed);
        let mut places = (0..fields.len()).filter(begins_alike).filter(is_open);
        let Some(place) = places.find(|place| is_alike(fields[*place].name(), name)) else { return };
        if !self.known.iter().any(|known| known.name() == name) {
            self.candidates.push((place, name.to_owned()));
        }
    }

    /// The object ends, and has not the fields for which `is_absent`.
    pub(super) fn end(&mut self, is_absent: impl Fn(usize) -> bool) {
        for (place, found) in self.candidates.drain(..).filter(|(place, _)| is_absent(*place)) {
            self.fields[place] = State::Found(found);
        }
    }

    /// The spelling of a field that was found since this was last asked.
    pub(super) fn take(&mut self, place: usize) -> Option<String> {
        match std::mem::replace(&mut self.fields[place], State::Taken) {
            State::Found(found) => Some(found),
            before => {
                self.fields[place] = before;
                None
            }
        }
    }
}

/// The first letter of a name in lower case, if it is one of ASCII; else 0.
fn first(name: &str) -> u8 {
    let mut letters = name.bytes().filter(|byte| !matches!(byte, b'_' | b'-'));
    letters.next().filter(u8::is_ascii).map_or(0, |byte| byte.to_ascii_lowercase())
}

/// Whether two names differ by case, underscores and hyphens alone.
fn is_alike(a: &str, b: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = char> {
        name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase)
    }
    letters(a).eq(letters(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_but_for_case_and_separators() {
        for (a, b) in
            [("email", "EMAIL"), ("order_id", "orderId"), ("order-id", "ORDER_ID"), ("größe", "GRÖßE")]
        {
            assert!(is_alike(a, b) && first(a) == first(b), "{a} {b}");
        }
        for (a, b) in [("email", "mail"), ("email", "emails"), ("id", "_if")] {
            assert!(!is_alike(a, b), "{a} {b}");
        }
    }
}
