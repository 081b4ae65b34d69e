//! Values by literal and prefixed names, and the lookup of all that apply to one name.
//!
//! **Invariants:** a lookup reads as many entries as apply to the name, and at most one more for each; how many others there
//! are makes no difference but the logarithm of a search.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use crate::acl::{ANY_NAME, PatternType};

/// A value for each pattern.
#[derive(Debug)]
pub(crate) struct Patterns<V> {
    literal: HashMap<Arc<str>, V>,
    prefixed: BTreeMap<Arc<str>, V>,
}

impl<V> Default for Patterns<V> {
    fn default() -> Self {
        Self { literal: HashMap::new(), prefixed: BTreeMap::new() }
    }
}

impl<V: Default> Patterns<V> {
    /// The value of a pattern, which is the default at first.
    pub(crate) fn entry(&mut self, pattern: PatternType, name: &Arc<str>) -> &mut V {
        match pattern {
            PatternType::Literal => self.literal.entry(Arc::clone(name)).or_default(),
            PatternType::Prefixed => self.prefixed.entry(Arc::clone(name)).or_default(),
        }
    }
}

impl<V> Patterns<V> {
    pub(crate) fn get(&self, pattern: PatternType, name: &str) -> Option<&V> {
        match pattern {
            PatternType::Literal => self.literal.get(name),
            PatternType::Prefixed => self.prefixed.get(name),
        }
    }

    pub(crate) fn remove(&mut self, pattern: PatternType, name: &str) {
        match pattern {
            PatternType::Literal => self.literal.remove(name),
            PatternType::Prefixed => self.prefixed.remove(name),
        };
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.literal.is_empty() && self.prefixed.is_empty()
    }

    /// Every pattern with its value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PatternType, &Arc<str>, &V)> {
        let literal = self.literal.iter().map(|(name, value)| (PatternType::Literal, name, value));
        literal.chain(self.prefixed.iter().map(|(name, value)| (PatternType::Prefixed, name, value)))
    }

    /// The values that apply to the resource `name`: its own, those of every name, and those of its prefixes.
    pub(crate) fn applying<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a V> {
        let own = self.literal.get(name);
        let any = if name == ANY_NAME { None } else { self.literal.get(ANY_NAME) };
        own.into_iter().chain(any).chain(self.of_prefixes(name))
    }

    /// The values that apply to everything that begins with `prefix`.
    pub(crate) fn covering<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a V> {
        self.literal.get(ANY_NAME).into_iter().chain(self.of_prefixes(prefix))
    }

    /// The values of the prefixes of `name`, the longest first.
    ///
    /// The greatest name that is not above `name` is a prefix of it, or parts from it somewhere: then no prefix of `name`
    /// is longer than what they have in common, since it would be greater.
    fn of_prefixes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a V> {
        let mut rest = Some(name);
        std::iter::from_fn(move || {
            while let Some(within) = rest {
                let below = (Bound::Unbounded, Bound::Included(within));
                let (found, value) = self.prefixed.range::<str, _>(below).next_back()?;
                let common = common_length(found, within);
                if common == found.len() {
                    rest = shorter(within, common);
                    return Some(value);
                }
                rest = Some(&within[..within.floor_char_boundary(common)]);
            }
            None
        })
    }
}

/// `name` up to before its last character within `length` bytes.
fn shorter(name: &str, length: usize) -> Option<&str> {
    let last = name[..length].chars().next_back()?;
    Some(&name[..length - last.len_utf8()])
}

fn common_length(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}
