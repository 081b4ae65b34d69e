//! One pair of schemas: what it says itself, and which pairs it rests on.

use std::borrow::Cow;

use super::super::model::{Child, Criterion, Kind, Model, NumberRules, Schema, StringRules};
use super::super::number::Decimal;
use super::difference::Difference;
use super::{Comparison, Pair};

/// A difference or a nested pair, at a place within the pair.
#[derive(Debug)]
pub(super) struct Item<'m> {
    /// A keyword, empty at the place of the pair itself.
    keyword: &'static str,
    /// A name or an index behind the keyword.
    key: Option<Cow<'m, str>>,
    pub(super) what: Content,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    Difference(Difference),
    /// A pair, by its index.
    Pair(usize),
}

impl Item<'_> {
    /// Appends the place to a path.
    pub(super) fn extend(&self, path: &mut Vec<String>) {
        if !self.keyword.is_empty() {
            path.push(self.keyword.to_owned());
        }
        path.extend(self.key.as_deref().map(str::to_owned));
    }
}

/// What the comparison of one pair found.
#[derive(Default, Debug)]
pub(super) struct Finding<'m> {
    pub(super) found: Vec<Item<'m>>,
    /// The pairs that were asked for, found or not.
    pub(super) rests_on: Vec<usize>,
}

/// A pair that is being compared.
pub(super) struct PairView<'c, 'm> {
    comparison: &'c mut Comparison<'m>,
    index: usize,
    pair: Pair,
    finding: Finding<'m>,
    /// The place of what is added.
    keyword: &'static str,
    key: Option<Cow<'m, str>>,
}

impl<'c, 'm> PairView<'c, 'm> {
    pub(super) fn new(comparison: &'c mut Comparison<'m>, index: usize, pair: Pair) -> Self {
        comparison.step();
        Self { comparison, index, pair, finding: Finding::default(), keyword: "", key: None }
    }

    fn originals(&self) -> &'m Model {
        if self.pair.is_reversed { self.comparison.reader } else { self.comparison.writer }
    }

    fn updates(&self) -> &'m Model {
        if self.pair.is_reversed { self.comparison.writer } else { self.comparison.reader }
    }

    /// A schema of the original as it is, a reference as a reference.
    pub(super) fn original(&self, child: Child) -> &'m Schema {
        self.originals().get(child.index)
    }

    /// The same of the update.
    pub(super) fn update(&self, child: Child) -> &'m Schema {
        self.updates().get(child.index)
    }

    /// Goes to a place within the pair.
    pub(super) fn at(&mut self, keyword: &'static str, key: Option<Cow<'m, str>>) {
        self.keyword = keyword;
        self.key = key;
        self.comparison.step();
    }

    pub(super) fn may_go_on(&self) -> bool {
        self.comparison.steps <= super::MAX_STEPS
    }

    /// Counts a step; whether there may be more.
    pub(super) fn step(&mut self) -> bool {
        self.comparison.step()
    }

    /// Ends the comparison.
    pub(super) fn use_up(&mut self) {
        self.comparison.steps = super::MAX_STEPS + 1;
    }

    pub(super) fn add(&mut self, kind: &'static str) {
        let (keyword, key) = (self.keyword, self.key.clone());
        self.finding.found.push(Item { keyword, key, what: Content::Difference(Difference(kind)) });
    }

    /// Adds a difference at a keyword of the pair itself.
    fn add_at(&mut self, keyword: &'static str, kind: &'static str) {
        self.finding.found.push(Item { keyword, key: None, what: Content::Difference(Difference(kind)) });
    }

    /// Adds what a nested pair says.
    pub(super) fn nest(&mut self, original: Child, update: Child) {
        let pair = self.nested(original.index, update.index, self.pair.is_reversed);
        self.nest_pair(pair);
    }

    fn nest_pair(&mut self, pair: usize) {
        let (keyword, key) = (self.keyword, self.key.clone());
        self.finding.found.push(Item { keyword, key, what: Content::Pair(pair) });
    }

    /// Compares what may be absent.
    pub(super) fn nest_optional(&mut self, original: Option<Child>, update: Option<Child>) {
        match (original, update) {
            (None, None) => {}
            (None, Some(_)) => self.add("SCHEMA_ADDED"),
            (Some(_), None) => self.add("SCHEMA_REMOVED"),
            (Some(original), Some(update)) => self.nest(original, update),
        }
    }

    /// Whether a nested pair is compatible, as far as is known.
    pub(super) fn is_compatible(&mut self, original: Child, update: Child) -> bool {
        let pair = self.nested(original.index, update.index, self.pair.is_reversed);
        self.comparison.pairs.is_compatible(pair)
    }

    fn nested(&mut self, original: u32, update: u32, is_reversed: bool) -> usize {
        let (originals, updates) = if is_reversed {
            (self.comparison.reader, self.comparison.writer)
        } else {
            (self.comparison.writer, self.comparison.reader)
        };
        let pair =
            Pair { original: originals.resolve(original).0, update: updates.resolve(update).0, is_reversed };
        let index = self.comparison.pairs.index(pair);
        self.comparison.step();
        if let Some(entry) = self.comparison.pairs.entries.get_mut(index) {
            entry.dependents.insert(self.index);
        }
        self.finding.rests_on.push(index);
        index
    }

    /// Whether `name` matches a pattern; what is no pattern matches nothing.
    pub(super) fn matches(&mut self, pattern: &'m str, name: &str) -> bool {
        self.comparison.step();
        let compiled = self
            .comparison
            .patterns
            .entry(pattern)
            .or_insert_with(|| super::super::validation::pattern(pattern));
        compiled.as_ref().is_some_and(|compiled| compiled.is_valid(&serde_json::Value::from(name)))
    }

    pub(super) fn compare(mut self) -> Finding<'m> {
        let original = self.originals().resolve(self.pair.original).1;
        let update = self.updates().resolve(self.pair.update).1;
        if !self.compare_with_combined(original, update) {
            self.compare_kinds(original, update);
        }
        self.finding
    }

    /// A schema beside one that is combined of others: one of those may be enough. Whether that settled it.
    fn compare_with_combined(&mut self, original: &'m Schema, update: &'m Schema) -> bool {
        let own = |index: u32| Child { index, print: 0 };
        match (&original.kind, &update.kind) {
            (Kind::Combined(..), Kind::Combined(..)) => false,
            (_, Kind::Combined(criterion, children)) => {
                let kind = match (children.len(), criterion) {
                    (1, _) => None,
                    (_, Criterion::Any | Criterion::One) => Some("SUM_TYPE_EXTENDED"),
                    (_, Criterion::All) => return false,
                };
                let original = own(self.pair.original);
                self.settle_with(children.iter().map(|child| (original, *child)), kind)
            }
            (Kind::Combined(criterion, children), _) => {
                let kind = match (children.len(), criterion) {
                    (1, _) => None,
                    (_, Criterion::All) => Some("PRODUCT_TYPE_NARROWED"),
                    (_, Criterion::Any | Criterion::One) => return false,
                };
                let update = own(self.pair.update);
                self.settle_with(children.iter().map(|child| (*child, update)), kind)
            }
            _ => false,
        }
    }

    fn settle_with(
        &mut self,
        pairs: impl Iterator<Item = (Child, Child)>,
        kind: Option<&'static str>,
    ) -> bool {
        for (original, update) in pairs {
            if !self.may_go_on() {
                return true;
            }
            if self.is_compatible(original, update) {
                self.nest(original, update);
                kind.into_iter().for_each(|kind| self.add(kind));
                return true;
            }
        }
        false
    }

    fn compare_kinds(&mut self, original: &'m Schema, update: &'m Schema) {
        let is_same = match (&original.kind, &update.kind) {
            (Kind::Outside(mine), Kind::Outside(theirs)) => mine == theirs,
            (mine, theirs) => std::mem::discriminant(mine) == std::mem::discriminant(theirs),
        };
        if !is_same {
            let is_covered =
                matches!(original.kind, Kind::False) || matches!(update.kind, Kind::Empty | Kind::True);
            // Confluent's converter of decimals wrote two types for the same bytes.
            let is_bytes = original.is_connect_bytes && update.is_connect_bytes;
            if !is_covered && !is_bytes {
                self.add("TYPE_CHANGED");
            }
            return;
        }
        for (mine, theirs, kind) in [
            (&original.id, &update.id, "ID_CHANGED"),
            (&original.title, &update.title, "TITLE_CHANGED"),
            (&original.description, &update.description, "DESCRIPTION_CHANGED"),
            (&original.default, &update.default, "DEFAULT_CHANGED"),
        ] {
            if mine != theirs {
                self.add(kind);
            }
        }
        match (&original.kind, &update.kind) {
            (Kind::String(original), Kind::String(update)) => self.compare_strings(original, update),
            (Kind::Number(original), Kind::Number(update)) => self.compare_numbers(original, update),
            (Kind::Const(original), Kind::Const(update)) if original != update => {
                self.add_at("const", "ENUM_ARRAY_CHANGED");
            }
            (Kind::Enum(original), Kind::Enum(update)) if original != update => {
                self.add_at("enum", by_inclusion(original, update, ENUM_ARRAY));
            }
            (Kind::Combined(mine, originals), Kind::Combined(theirs, updates)) => {
                self.compare_combined((*mine, originals), (*theirs, updates));
            }
            (Kind::Not(original), Kind::Not(update)) => {
                // What is excluded must have been excluded before: the other way round.
                self.at("not", None);
                let pair = self.nested(update.index, original.index, !self.pair.is_reversed);
                let is_narrowed = self.comparison.pairs.is_compatible(pair);
                self.add(if is_narrowed { "NOT_TYPE_NARROWED" } else { "NOT_TYPE_EXTENDED" });
            }
            (Kind::Object(original), Kind::Object(update)) => self.compare_objects(original, update),
            (Kind::Array(original), Kind::Array(update)) => self.compare_arrays(original, update),
            _ => {}
        }
    }

    fn compare_strings(&mut self, original: &StringRules, update: &StringRules) {
        let bounds = (&original.max_length, &update.max_length);
        self.bound(
            "maxLength",
            bounds,
            ["MAX_LENGTH_ADDED", "MAX_LENGTH_REMOVED", "MAX_LENGTH_INCREASED", "MAX_LENGTH_DECREASED"],
        );
        let bounds = (&original.min_length, &update.min_length);
        self.bound(
            "minLength",
            bounds,
            ["MIN_LENGTH_ADDED", "MIN_LENGTH_REMOVED", "MIN_LENGTH_INCREASED", "MIN_LENGTH_DECREASED"],
        );
        match (&original.pattern, &update.pattern) {
            (None, Some(_)) => self.add_at("pattern", "PATTERN_ADDED"),
            (Some(_), None) => self.add_at("pattern", "PATTERN_REMOVED"),
            (mine, theirs) if mine != theirs => self.add_at("pattern", "PATTERN_CHANGED"),
            _ => {}
        }
    }

    fn compare_numbers(&mut self, original: &NumberRules, update: &NumberRules) {
        let bounds = (&original.maximum, &update.maximum);
        self.bound(
            "maximum",
            bounds,
            ["MAXIMUM_ADDED", "MAXIMUM_REMOVED", "MAXIMUM_INCREASED", "MAXIMUM_DECREASED"],
        );
        let bounds = (&original.minimum, &update.minimum);
        self.bound(
            "minimum",
            bounds,
            ["MINIMUM_ADDED", "MINIMUM_REMOVED", "MINIMUM_INCREASED", "MINIMUM_DECREASED"],
        );
        let bounds = (&original.exclusive_maximum, &update.exclusive_maximum);
        self.bound(
            "exclusiveMaximum",
            bounds,
            [
                "EXCLUSIVE_MAXIMUM_ADDED",
                "EXCLUSIVE_MAXIMUM_REMOVED",
                "EXCLUSIVE_MAXIMUM_INCREASED",
                "EXCLUSIVE_MAXIMUM_DECREASED",
            ],
        );
        let bounds = (&original.exclusive_minimum, &update.exclusive_minimum);
        self.bound(
            "exclusiveMinimum",
            bounds,
            [
                "EXCLUSIVE_MINIMUM_ADDED",
                "EXCLUSIVE_MINIMUM_REMOVED",
                "EXCLUSIVE_MINIMUM_INCREASED",
                "EXCLUSIVE_MINIMUM_DECREASED",
            ],
        );
        match (&original.multiple_of, &update.multiple_of) {
            (None, None) => {}
            (None, Some(_)) => self.add_at("multipleOf", "MULTIPLE_OF_ADDED"),
            (Some(_), None) => self.add_at("multipleOf", "MULTIPLE_OF_REMOVED"),
            (Some(mine), Some(theirs)) if mine == theirs => {}
            (Some(mine), Some(theirs)) if theirs.is_multiple_of(mine) == Some(true) => {
                self.add_at("multipleOf", "MULTIPLE_OF_EXPANDED");
            }
            (Some(mine), Some(theirs)) if mine.is_multiple_of(theirs) == Some(true) => {
                self.add_at("multipleOf", "MULTIPLE_OF_REDUCED");
            }
            _ => self.add_at("multipleOf", "MULTIPLE_OF_CHANGED"),
        }
        if original.is_integer != update.is_integer {
            self.add(if original.is_integer { "TYPE_EXTENDED" } else { "TYPE_NARROWED" });
        }
    }

    /// Compares a bound: kinds for one that was added, removed, increased and decreased.
    pub(super) fn bound(
        &mut self,
        keyword: &'static str,
        (original, update): (&Option<Decimal>, &Option<Decimal>),
        [added, removed, increased, decreased]: [&'static str; 4],
    ) {
        let kind = match (original, update) {
            (None, None) => return,
            (None, Some(_)) => added,
            (Some(_), None) => removed,
            (Some(mine), Some(theirs)) => match mine.cmp(theirs) {
                std::cmp::Ordering::Less => increased,
                std::cmp::Ordering::Equal => return,
                std::cmp::Ordering::Greater => decreased,
            },
        };
        self.add_at(keyword, kind);
    }

    /// Compares a rule that is there or not.
    pub(super) fn flag(
        &mut self,
        keyword: &'static str,
        (original, update): (bool, bool),
        [added, removed]: [&'static str; 2],
    ) {
        if original != update {
            self.add_at(keyword, if update { added } else { removed });
        }
    }
}

/// Kinds for lists of values that were extended, narrowed and changed.
const ENUM_ARRAY: [&str; 3] = ["ENUM_ARRAY_EXTENDED", "ENUM_ARRAY_NARROWED", "ENUM_ARRAY_CHANGED"];

/// The kind for two different sets.
pub(super) fn by_inclusion<T: Ord>(
    original: &std::collections::BTreeSet<T>,
    update: &std::collections::BTreeSet<T>,
    [extended, narrowed, changed]: [&'static str; 3],
) -> &'static str {
    if update.is_superset(original) {
        extended
    } else if original.is_superset(update) {
        narrowed
    } else {
        changed
    }
}

/// What a schema is, for a person.
pub(super) fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Empty | Kind::True => "anything",
        Kind::False => "nothing",
        Kind::Boolean => "boolean",
        Kind::Null => "null",
        Kind::String(_) => "string",
        Kind::Number(rules) if rules.is_integer => "integer",
        Kind::Number(_) => "number",
        Kind::Array(_) => "array",
        Kind::Object(_) => "object",
        Kind::Const(_) => "const",
        Kind::Enum(_) => "enum",
        Kind::Not(_) => "not",
        Kind::Conditional => "if, then, else",
        Kind::Combined(criterion, _) => criterion.as_str(),
        Kind::Reference(_) => "$ref",
        Kind::Outside(_) => "a metaschema",
    }
}
