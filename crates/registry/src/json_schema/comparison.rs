//! Differences between two schemas, by the rules and names of Confluent's registry (`SchemaDiff`).
//!
//! ```text
//!   model of the writer ─┐
//!                        ├─▶ pairs of schemas ─▶ which pairs are compatible ─▶ differences, with their paths
//!   model of the reader ─┘
//! ```
//!
//! A pair is compared in one step: what it says itself, and which other pairs it rests on. Recursive schemas rest on
//! themselves: a pair counts as compatible until something says otherwise, and is compared again when a pair that it rests
//! on turns out not to be. So each pair is settled once, whatever leads to it.
//!
//! Invariants: no recursion, at most [`MAX_STEPS`], at most [`MAX_DIFFERENCES`] in the result; a comparison that would need
//! more is a difference of its own.

mod array;
mod combined;
mod difference;
mod matching;
mod object;
mod schema;

use std::collections::{HashMap, HashSet};

use jsonschema::Validator;

pub use difference::Policy;

use super::model::Model;
use crate::Incompatibility;
use crate::work::Work;
use difference::Difference;
use schema::{Finding, Item, PairView};

/// Steps of a comparison, at most: a step looks at one property, one alternative or one pair.
const MAX_STEPS: usize = 1_000_000;
/// Differences in a result, at most.
const MAX_DIFFERENCES: usize = 100;
/// Pairs that are gone through again to write down their differences, at most.
const MAX_VISITS: usize = 20_000;
/// Segments of a path in a result, at most.
const MAX_PATH: usize = 64;
/// Bytes of a segment of a path in a result, at most.
const MAX_SEGMENT: usize = 200;

/// A schema of the writer and one of the reader, or the other way round below `not`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Pair {
    /// What was written by, a place in its model.
    original: u32,
    /// What is read by, a place in its model.
    update: u32,
    /// Whether `original` is the reader's and `update` the writer's.
    is_reversed: bool,
}

/// How far a pair is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// No one has looked at it.
    New,
    /// It waits for pairs that it rests on: a cycle, which counts as compatible for now.
    Waiting,
    Settled,
}

#[derive(Debug)]
struct Entry {
    pair: Pair,
    is_compatible: bool,
    state: State,
    /// The pairs that rest on this one.
    dependents: HashSet<usize>,
}

/// The pairs that are known.
#[derive(Default, Debug)]
struct Pairs {
    by_pair: HashMap<Pair, usize>,
    entries: Vec<Entry>,
}

impl Pairs {
    fn index(&mut self, pair: Pair) -> usize {
        if let Some(index) = self.by_pair.get(&pair) {
            return *index;
        }
        let index = self.entries.len();
        self.entries.push(Entry { pair, is_compatible: true, state: State::New, dependents: HashSet::new() });
        self.by_pair.insert(pair, index);
        index
    }

    fn is_compatible(&self, index: usize) -> bool {
        self.entries.get(index).is_none_or(|entry| entry.is_compatible)
    }

    fn state(&self, index: usize) -> State {
        self.entries.get(index).map_or(State::Settled, |entry| entry.state)
    }

    fn set_state(&mut self, index: usize, state: State) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.state = state;
        }
    }
}

/// A comparison that is under way.
struct Comparison<'m> {
    writer: &'m Model,
    reader: &'m Model,
    policy: Policy,
    pairs: Pairs,
    patterns: HashMap<&'m str, Option<Validator>>,
    steps: usize,
    /// That of the request, of which this comparison is a part.
    work: &'m Work,
}

/// Every reason why `reader` cannot read what `writer` wrote.
pub(super) fn incompatibilities(
    writer: &Model,
    reader: &Model,
    policy: Policy,
    work: &Work,
) -> Vec<Incompatibility> {
    let mut comparison = Comparison::new(writer, reader, policy, work);
    let differences = comparison.run(|_, is_compatible| !is_compatible);
    differences.into_iter().map(|(path, difference, detail)| difference.describe(path, detail)).collect()
}

/// Every difference, compatible ones too: kind and path.
#[cfg(test)]
pub(super) fn differences(
    writer: &Model,
    reader: &Model,
    policy: Policy,
) -> Vec<(&'static str, String, bool)> {
    let work = Work::default();
    let mut comparison = Comparison::new(writer, reader, policy, &work);
    let differences = comparison.run(|_, _| true);
    differences
        .into_iter()
        .map(|(path, difference, _)| (difference.0, path, difference.is_compatible(policy)))
        .collect()
}

impl<'m> Comparison<'m> {
    fn new(writer: &'m Model, reader: &'m Model, policy: Policy, work: &'m Work) -> Self {
        Self { writer, reader, policy, pairs: Pairs::default(), patterns: HashMap::new(), steps: 0, work }
    }

    /// Counts a step; whether there may be more.
    fn step(&mut self) -> bool {
        self.steps = if self.work.spend(1) { self.steps + 1 } else { MAX_STEPS + 1 };
        self.steps <= MAX_STEPS
    }

    /// The differences that are `wanted`, by their path, and with what there is to add.
    fn run(
        &mut self,
        wanted: impl Fn(Difference, bool) -> bool,
    ) -> Vec<(String, Difference, Option<String>)> {
        let root = Pair {
            original: self.writer.resolve(self.writer.root()).0,
            update: self.reader.resolve(self.reader.root()).0,
            is_reversed: false,
        };
        let root = self.pairs.index(root);
        self.settle(root);
        if self.steps > MAX_STEPS {
            return vec![("#/".to_owned(), Difference("SCHEMA_TOO_COMPLEX"), None)];
        }
        self.collect(root, &wanted)
    }

    /// Finds out which pairs are compatible, from `root` on.
    fn settle(&mut self, root: usize) {
        let mut again = vec![root];
        let mut in_again: HashSet<usize> = HashSet::from([root]);
        while let Some(next) = again.pop() {
            in_again.remove(&next);
            let mut open = vec![(next, false)];
            while let Some((index, is_first)) = open.pop() {
                if self.steps > MAX_STEPS {
                    return;
                }
                if is_first && self.pairs.state(index) != State::New {
                    continue;
                }
                let finding = self.compare(index);
                // Pairs that no one has looked at: those first, then this one again.
                let mut unknown = finding.rests_on;
                unknown.retain(|other| *other != index && self.pairs.state(*other) == State::New);
                if !unknown.is_empty() {
                    self.pairs.set_state(index, State::Waiting);
                    open.push((index, false));
                    open.extend(unknown.into_iter().rev().map(|unknown| (unknown, true)));
                    continue;
                }
                let is_compatible = self.holds(&finding.found);
                self.pairs.set_state(index, State::Settled);
                let Some(entry) = self.pairs.entries.get_mut(index).filter(|entry| entry.is_compatible)
                else {
                    continue;
                };
                entry.is_compatible = is_compatible;
                if !is_compatible {
                    let dependents: Vec<usize> = entry.dependents.iter().copied().collect();
                    // Those that wait come to it anyway.
                    let settled = dependents
                        .into_iter()
                        .filter(|dependent| self.pairs.state(*dependent) == State::Settled);
                    again.extend(settled.filter(|dependent| in_again.insert(*dependent)));
                }
            }
        }
    }

    fn holds(&self, items: &[Item<'_>]) -> bool {
        items.iter().all(|item| match item.what {
            schema::Content::Difference(difference) => difference.is_compatible(self.policy),
            schema::Content::Pair(pair) => self.pairs.is_compatible(pair),
        })
    }

    /// Compares one pair.
    fn compare(&mut self, index: usize) -> Finding<'m> {
        let pair = match self.pairs.entries.get(index) {
            Some(entry) => entry.pair,
            None => return Finding::default(),
        };
        PairView::new(self, index, pair).compare()
    }

    /// Writes down differences, going into pairs along the path.
    fn collect(
        &mut self,
        root: usize,
        wanted: &impl Fn(Difference, bool) -> bool,
    ) -> Vec<(String, Difference, Option<String>)> {
        let mut found = Vec::new();
        let mut visits = 0;
        let mut path: Vec<String> = Vec::new();
        let mut open = vec![(root, self.compare(root).found.into_iter(), 0_usize)];
        while let Some((index, items, above)) = open.last_mut() {
            let (index, above) = (*index, *above);
            let Some(item) = items.next() else {
                open.pop();
                path.truncate(above);
                continue;
            };
            let here = path.len();
            match item.what {
                schema::Content::Difference(difference) => {
                    if wanted(difference, difference.is_compatible(self.policy))
                        && found.len() < MAX_DIFFERENCES
                    {
                        item.extend(&mut path);
                        found.push((render(&path), difference, self.detail(index, difference)));
                        path.truncate(here);
                    }
                }
                schema::Content::Pair(pair) => {
                    visits += 1;
                    let is_on_path = open.iter().any(|(index, ..)| *index == pair);
                    let is_wanted = wanted(Difference("SCHEMA_CHANGED"), self.pairs.is_compatible(pair));
                    if is_wanted
                        && !is_on_path
                        && visits < MAX_VISITS
                        && found.len() < MAX_DIFFERENCES
                        && open.len() < MAX_PATH
                    {
                        let inner = self.compare(pair).found.into_iter();
                        item.extend(&mut path);
                        open.push((pair, inner, here));
                    }
                }
            }
        }
        if found.is_empty() && !self.pairs.is_compatible(root) {
            found.push(("#/".to_owned(), Difference("TYPE_CHANGED"), None));
        }
        found
    }

    /// What both sides are, where that is the difference.
    fn detail(&self, index: usize, difference: Difference) -> Option<String> {
        let pair = self.pairs.entries.get(index)?.pair;
        if !matches!(difference.0, "TYPE_CHANGED" | "TYPE_NARROWED") {
            return None;
        }
        let (writer, reader) =
            if pair.is_reversed { (pair.update, pair.original) } else { (pair.original, pair.update) };
        let writer = schema::type_name(&self.writer.resolve(writer).1.kind);
        let reader = schema::type_name(&self.reader.resolve(reader).1.kind);
        Some(format!("writer: {writer}, reader: {reader}"))
    }
}

/// A path as Confluent prints it: segments without escapes behind `#/`.
fn render(path: &[String]) -> String {
    let mut text = "#/".to_owned();
    for (index, segment) in path.iter().enumerate() {
        if index > 0 {
            text.push('/');
        }
        match segment.char_indices().find(|(at, _)| *at >= MAX_SEGMENT) {
            Some((end, _)) => {
                text.push_str(segment.get(..end).unwrap_or_default());
                text.push('…');
            }
            None => text.push_str(segment),
        }
    }
    text
}
