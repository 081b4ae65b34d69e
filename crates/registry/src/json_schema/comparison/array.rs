//! Arrays: items by their index, and what is said of further ones.

use std::borrow::Cow;

use super::super::model::{ArrayRules, Child, Schema};
use super::object::{is_empty, is_false};
use super::schema::PairView;

impl<'m> PairView<'_, 'm> {
    pub(super) fn compare_arrays(&mut self, original: &'m ArrayRules, update: &'m ArrayRules) {
        self.at("items", None);
        self.nest_optional(original.all_items, update.all_items);
        self.compare_items(original, update);
        let kinds = [
            "ADDITIONAL_ITEMS_ADDED",
            "ADDITIONAL_ITEMS_REMOVED",
            "ADDITIONAL_ITEMS_EXTENDED",
            "ADDITIONAL_ITEMS_NARROWED",
        ];
        self.at("additionalItems", None);
        self.additional(
            (original.is_closed, original.additional),
            (update.is_closed, update.additional),
            kinds,
        );
        let kinds = [
            "UNEVALUATED_ITEMS_ADDED",
            "UNEVALUATED_ITEMS_REMOVED",
            "UNEVALUATED_ITEMS_EXTENDED",
            "UNEVALUATED_ITEMS_NARROWED",
        ];
        self.at("unevaluatedItems", None);
        self.unevaluated(original.unevaluated, update.unevaluated, kinds);
        let bounds = (&original.max_items, &update.max_items);
        self.bound(
            "maxItems",
            bounds,
            ["MAX_ITEMS_ADDED", "MAX_ITEMS_REMOVED", "MAX_ITEMS_INCREASED", "MAX_ITEMS_DECREASED"],
        );
        let bounds = (&original.min_items, &update.min_items);
        self.bound(
            "minItems",
            bounds,
            ["MIN_ITEMS_ADDED", "MIN_ITEMS_REMOVED", "MIN_ITEMS_INCREASED", "MIN_ITEMS_DECREASED"],
        );
        self.flag(
            "uniqueItems",
            (original.is_unique, update.is_unique),
            ["UNIQUE_ITEMS_ADDED", "UNIQUE_ITEMS_REMOVED"],
        );
        let bounds = (&original.max_contains, &update.max_contains);
        self.bound(
            "maxContains",
            bounds,
            [
                "MAX_CONTAINS_ADDED",
                "MAX_CONTAINS_REMOVED",
                "MAX_CONTAINS_INCREASED",
                "MAX_CONTAINS_DECREASED",
            ],
        );
        let bounds = (&original.min_contains, &update.min_contains);
        self.bound(
            "minContains",
            bounds,
            [
                "MIN_CONTAINS_ADDED",
                "MIN_CONTAINS_REMOVED",
                "MIN_CONTAINS_INCREASED",
                "MIN_CONTAINS_DECREASED",
            ],
        );
    }

    fn compare_items(&mut self, original: &'m ArrayRules, update: &'m ArrayRules) {
        for index in 0..original.items.len().max(update.items.len()) {
            if !self.may_go_on() {
                return;
            }
            self.at("items", Some(Cow::Owned(index.to_string())));
            match (original.items.get(index), update.items.get(index)) {
                (Some(mine), Some(theirs)) => self.nest(*mine, *theirs),
                (Some(mine), None) => self.item_removed(*mine, update),
                (None, Some(theirs)) => self.item_added(*theirs, original),
                (None, None) => {}
            }
        }
    }

    fn item_removed(&mut self, item: Child, update: &'m ArrayRules) {
        if is_open(update, |child| self.update(child)) {
            self.add("ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL");
            return;
        }
        match covering(update, |child| self.update(child)) {
            Some(covering) => {
                self.nest(item, covering);
                let is_covered = self.is_compatible(item, covering);
                self.add(if is_covered {
                    "ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
                } else {
                    "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
                });
            }
            None if is_false(self.original(item)) => {
                self.add("ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL");
            }
            None => self.add("ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL"),
        }
    }

    fn item_added(&mut self, item: Child, original: &'m ArrayRules) {
        if is_open(original, |child| self.original(child)) {
            self.add(if is_empty(self.update(item)) {
                "ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL"
            } else {
                "ITEM_ADDED_TO_OPEN_CONTENT_MODEL"
            });
            return;
        }
        match covering(original, |child| self.original(child)) {
            Some(covering) => {
                self.nest(covering, item);
                let is_covered = self.is_compatible(covering, item);
                self.add(if is_covered {
                    "ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
                } else {
                    "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
                });
            }
            None => self.add("ITEM_ADDED_TO_CLOSED_CONTENT_MODEL"),
        }
    }
}

/// Whether any further item is allowed.
fn is_open<'m>(rules: &ArrayRules, schema: impl Fn(Child) -> &'m Schema) -> bool {
    !rules.is_closed
        && rules.additional.is_none()
        && rules.unevaluated.is_none_or(|child| is_empty(schema(child)))
}

/// The schema of further items.
fn covering<'m>(rules: &ArrayRules, schema: impl Fn(Child) -> &'m Schema) -> Option<Child> {
    if rules.additional.is_some() || rules.is_closed {
        return rules.additional;
    }
    rules.unevaluated.filter(|child| !is_false(schema(*child)) && !is_empty(schema(*child)))
}
