//! Objects: properties and the three content models.
//!
//! A schema is open if it allows any further property, closed if it allows none, and partially open if it says what further
//! properties must be. A property that only one side names is compared with what the other side says of further ones.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::model::{Child, Kind, ObjectRules, Schema};
use super::schema::{PairView, by_inclusion};

const DEPENDENCY_ARRAY: [&str; 3] =
    ["DEPENDENCY_ARRAY_EXTENDED", "DEPENDENCY_ARRAY_NARROWED", "DEPENDENCY_ARRAY_CHANGED"];

pub(super) fn is_empty(schema: &Schema) -> bool {
    matches!(schema.kind, Kind::Empty | Kind::True)
}

pub(super) fn is_false(schema: &Schema) -> bool {
    matches!(schema.kind, Kind::False)
}

/// Kinds of differences of what is said of further members: allowed again, forbidden, said less of, said more of.
pub(super) type FurtherKinds = [&'static str; 4];

impl<'m> PairView<'_, 'm> {
    pub(super) fn compare_objects(&mut self, original: &'m ObjectRules, update: &'m ObjectRules) {
        self.compare_required(original, update);
        self.compare_properties(original, update);
        self.compare_dependencies(original, update);
        let kinds = [
            "ADDITIONAL_PROPERTIES_ADDED",
            "ADDITIONAL_PROPERTIES_REMOVED",
            "ADDITIONAL_PROPERTIES_EXTENDED",
            "ADDITIONAL_PROPERTIES_NARROWED",
        ];
        self.at("additionalProperties", None);
        self.additional(
            (original.is_closed, original.additional),
            (update.is_closed, update.additional),
            kinds,
        );
        let kinds = [
            "UNEVALUATED_PROPERTIES_ADDED",
            "UNEVALUATED_PROPERTIES_REMOVED",
            "UNEVALUATED_PROPERTIES_EXTENDED",
            "UNEVALUATED_PROPERTIES_NARROWED",
        ];
        self.at("unevaluatedProperties", None);
        self.unevaluated(original.unevaluated, update.unevaluated, kinds);
        let bounds = (&original.max_properties, &update.max_properties);
        self.bound(
            "maxProperties",
            bounds,
            [
                "MAX_PROPERTIES_ADDED",
                "MAX_PROPERTIES_REMOVED",
                "MAX_PROPERTIES_INCREASED",
                "MAX_PROPERTIES_DECREASED",
            ],
        );
        let bounds = (&original.min_properties, &update.min_properties);
        self.bound(
            "minProperties",
            bounds,
            [
                "MIN_PROPERTIES_ADDED",
                "MIN_PROPERTIES_REMOVED",
                "MIN_PROPERTIES_INCREASED",
                "MIN_PROPERTIES_DECREASED",
            ],
        );
    }

    /// Compares `additionalProperties` or `additionalItems`.
    pub(super) fn additional(
        &mut self,
        (was_closed, original): (bool, Option<Child>),
        (is_closed, update): (bool, Option<Child>),
        [added, removed, extended, narrowed]: FurtherKinds,
    ) {
        match (original, update) {
            _ if was_closed != is_closed => self.add(if is_closed { removed } else { added }),
            (None, Some(_)) => self.add(narrowed),
            (Some(_), None) => self.add(extended),
            (None, None) => {}
            (Some(original), Some(update)) => self.nest(original, update),
        }
    }

    /// Compares `unevaluatedProperties` or `unevaluatedItems`.
    pub(super) fn unevaluated(
        &mut self,
        original: Option<Child>,
        update: Option<Child>,
        [added, removed, extended, narrowed]: FurtherKinds,
    ) {
        let was_false = original.is_some_and(|original| is_false(self.original(original)));
        let is_now_false = update.is_some_and(|update| is_false(self.update(update)));
        match (original, update) {
            (None, None) => {}
            (None, Some(_)) => self.add(if is_now_false { removed } else { narrowed }),
            (Some(_), None) => self.add(if was_false { added } else { extended }),
            (Some(_), Some(_)) if was_false && !is_now_false => self.add(added),
            (Some(_), Some(_)) if !was_false && is_now_false => self.add(removed),
            (Some(original), Some(update)) => {
                match (is_empty(self.original(original)), is_empty(self.update(update))) {
                    (true, false) => self.add(narrowed),
                    (false, true) => self.add(extended),
                    _ => self.nest(original, update),
                }
            }
        }
    }

    fn compare_required(&mut self, original: &'m ObjectRules, update: &'m ObjectRules) {
        for name in original.properties.keys() {
            let Some(property) = update.properties.get(name) else { continue };
            if !self.may_go_on() {
                return;
            }
            let kind = match (original.required.contains(name), update.required.contains(name)) {
                (true, false) => "REQUIRED_ATTRIBUTE_REMOVED",
                (false, true) if self.update(*property).default.is_some() => {
                    "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED"
                }
                (false, true) => "REQUIRED_ATTRIBUTE_ADDED",
                _ => continue,
            };
            self.at("required", Some(Cow::Borrowed(name)));
            self.add(kind);
        }
    }

    fn compare_properties(&mut self, original: &'m ObjectRules, update: &'m ObjectRules) {
        for (name, mine) in &original.properties {
            if !self.may_go_on() {
                return;
            }
            self.at("properties", Some(Cow::Borrowed(name)));
            match update.properties.get(name) {
                Some(theirs) => self.nest(*mine, *theirs),
                None => self.property_removed(name, *mine, update),
            }
        }
        for (name, theirs) in &update.properties {
            if !self.may_go_on() {
                return;
            }
            if !original.properties.contains_key(name) {
                self.at("properties", Some(Cow::Borrowed(name)));
                self.property_added(name, *theirs, original, update);
            }
        }
    }

    fn property_removed(&mut self, name: &str, property: Child, update: &'m ObjectRules) {
        if is_open(update, |child| self.update(child)) {
            self.add("PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL");
            return;
        }
        match self.covering(name, update, false) {
            Some(covering) => {
                self.nest(property, covering);
                let is_covered = self.is_compatible(property, covering);
                self.add(if is_covered {
                    "PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
                } else {
                    "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
                });
            }
            None if is_false(self.original(property)) => {
                self.add("PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL");
            }
            None => self.add("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"),
        }
    }

    fn property_added(
        &mut self,
        name: &str,
        property: Child,
        original: &'m ObjectRules,
        update: &'m ObjectRules,
    ) {
        let is_required = update.required.contains(name);
        let has_default = self.update(property).default.is_some();
        if is_open(original, |child| self.original(child)) {
            self.add(match (is_required, has_default) {
                _ if is_empty(self.update(property)) => {
                    "PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL"
                }
                (true, true) => "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL",
                (true, false) => "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
                (false, _) => "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
            });
            return;
        }
        if let Some(covering) = self.covering(name, original, true) {
            self.nest(covering, property);
            let is_covered = self.is_compatible(covering, property);
            self.add(if is_covered {
                "PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            } else {
                "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            });
        }
        self.add(match (is_required, has_default) {
            (true, true) => "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL",
            (true, false) => "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL",
            (false, _) => "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL",
        });
    }

    /// The schema that a partially open content model has for a property that it does not name.
    fn covering(&mut self, name: &str, rules: &'m ObjectRules, is_original: bool) -> Option<Child> {
        for (pattern, child) in &rules.patterns {
            if self.may_go_on() && self.matches(pattern, name) {
                return Some(*child);
            }
        }
        if rules.additional.is_some() || rules.is_closed {
            return rules.additional;
        }
        let schema = |child| if is_original { self.original(child) } else { self.update(child) };
        rules.unevaluated.filter(|child| !is_false(schema(*child)) && !is_empty(schema(*child)))
    }

    fn compare_dependencies(&mut self, original: &'m ObjectRules, update: &'m ObjectRules) {
        let names: BTreeSet<&String> =
            original.property_dependencies.keys().chain(update.property_dependencies.keys()).collect();
        for name in names {
            self.at("dependencies", Some(Cow::Borrowed(name)));
            match (original.property_dependencies.get(name), update.property_dependencies.get(name)) {
                (_, None) => self.add("DEPENDENCY_ARRAY_REMOVED"),
                (None, _) => self.add("DEPENDENCY_ARRAY_ADDED"),
                (Some(mine), Some(theirs)) if mine != theirs => {
                    self.add(by_inclusion(mine, theirs, DEPENDENCY_ARRAY));
                }
                _ => {}
            }
        }
        let names: BTreeSet<&String> =
            original.schema_dependencies.keys().chain(update.schema_dependencies.keys()).collect();
        for name in names {
            self.at("dependencies", Some(Cow::Borrowed(name)));
            match (original.schema_dependencies.get(name), update.schema_dependencies.get(name)) {
                (_, None) => self.add("DEPENDENCY_SCHEMA_REMOVED"),
                (None, _) => self.add("DEPENDENCY_SCHEMA_ADDED"),
                (Some(mine), Some(theirs)) => self.nest(*mine, *theirs),
            }
        }
    }
}

/// Whether any further property is allowed.
fn is_open<'m>(rules: &ObjectRules, schema: impl Fn(Child) -> &'m Schema) -> bool {
    !rules.is_closed
        && rules.additional.is_none()
        && rules.patterns.is_empty()
        && rules.unevaluated.is_none_or(|child| is_empty(schema(child)))
}
