//! The kinds of differences, by the names that Confluent's registry gives them, and which of them readers can live with.

use crate::Incompatibility;

/// How strict a comparison is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Policy {
    /// A reader must be able to read everything that the writer's schema allows.
    #[default]
    Strict,
    /// Fields that the writer's schema allows without naming them, and its validation of further fields, do not count.
    Lenient,
}

/// The name of a kind of difference, from the writer's schema to the reader's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Difference(pub(super) &'static str);

impl Difference {
    /// Whether a reader can live with it.
    pub(super) fn is_compatible(self, policy: Policy) -> bool {
        is_compatible(self.0) || (policy == Policy::Lenient && is_compatible_if_lenient(self.0))
    }

    /// The difference at `path` for a person.
    pub(super) fn describe(self, path: String, detail: Option<String>) -> Incompatibility {
        let mut message = sentence(self.0).to_owned();
        if let Some(detail) = &detail {
            message = format!("{message} ({detail})");
        }
        Incompatibility { kind: self.0, path, message, detail }
    }
}

fn is_compatible(kind: &str) -> bool {
    matches!(
        kind,
        "ID_CHANGED"
            | "DESCRIPTION_CHANGED"
            | "TITLE_CHANGED"
            | "DEFAULT_CHANGED"
            | "SCHEMA_REMOVED"
            | "TYPE_EXTENDED"
            | "MAX_LENGTH_INCREASED"
            | "MAX_LENGTH_REMOVED"
            | "MIN_LENGTH_DECREASED"
            | "MIN_LENGTH_REMOVED"
            | "PATTERN_REMOVED"
            | "MAXIMUM_INCREASED"
            | "MAXIMUM_REMOVED"
            | "MINIMUM_DECREASED"
            | "MINIMUM_REMOVED"
            | "EXCLUSIVE_MAXIMUM_INCREASED"
            | "EXCLUSIVE_MAXIMUM_REMOVED"
            | "EXCLUSIVE_MINIMUM_DECREASED"
            | "EXCLUSIVE_MINIMUM_REMOVED"
            | "MULTIPLE_OF_REDUCED"
            | "MULTIPLE_OF_REMOVED"
            | "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED"
            | "REQUIRED_ATTRIBUTE_REMOVED"
            | "DEPENDENCY_ARRAY_NARROWED"
            | "DEPENDENCY_ARRAY_REMOVED"
            | "DEPENDENCY_SCHEMA_REMOVED"
            | "MAX_PROPERTIES_INCREASED"
            | "MAX_PROPERTIES_REMOVED"
            | "MIN_PROPERTIES_DECREASED"
            | "MIN_PROPERTIES_REMOVED"
            | "ADDITIONAL_PROPERTIES_ADDED"
            | "ADDITIONAL_PROPERTIES_EXTENDED"
            | "UNEVALUATED_PROPERTIES_ADDED"
            | "UNEVALUATED_PROPERTIES_EXTENDED"
            | "PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL"
            | "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL"
            | "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"
            | "PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL"
            | "PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL"
            | "PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            | "PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            | "MAX_ITEMS_INCREASED"
            | "MAX_ITEMS_REMOVED"
            | "MIN_ITEMS_DECREASED"
            | "MIN_ITEMS_REMOVED"
            | "MAX_CONTAINS_INCREASED"
            | "MAX_CONTAINS_REMOVED"
            | "MIN_CONTAINS_DECREASED"
            | "MIN_CONTAINS_REMOVED"
            | "UNIQUE_ITEMS_REMOVED"
            | "ADDITIONAL_ITEMS_ADDED"
            | "ADDITIONAL_ITEMS_EXTENDED"
            | "UNEVALUATED_ITEMS_ADDED"
            | "UNEVALUATED_ITEMS_EXTENDED"
            | "ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL"
            | "ITEM_ADDED_TO_CLOSED_CONTENT_MODEL"
            | "ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL"
            | "ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL"
            | "ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            | "ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            | "ENUM_ARRAY_EXTENDED"
            | "COMBINED_TYPE_EXTENDED"
            | "PRODUCT_TYPE_NARROWED"
            | "SUM_TYPE_EXTENDED"
            | "NOT_TYPE_NARROWED"
    )
}

fn is_compatible_if_lenient(kind: &str) -> bool {
    matches!(
        kind,
        "ADDITIONAL_PROPERTIES_NARROWED"
            | "ADDITIONAL_PROPERTIES_REMOVED"
            | "UNEVALUATED_PROPERTIES_NARROWED"
            | "UNEVALUATED_PROPERTIES_REMOVED"
            | "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL"
            | "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"
            | "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"
            | "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            | "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
    )
}

/// What an incompatible difference means for events that were written.
fn sentence(kind: &str) -> &'static str {
    let sentences = [of_types(kind), of_objects(kind), of_arrays(kind), of_alternatives(kind)];
    let other = "the reader's schema is another one than the writer's";
    sentences.into_iter().find(|sentence| !sentence.is_empty()).unwrap_or(other)
}

/// The sentences about types, strings and numbers; empty for other kinds.
fn of_types(kind: &str) -> &'static str {
    match kind {
        "TYPE_CHANGED" => "the reader's schema has another type here than the writer's",
        "TYPE_NARROWED" => "the reader's schema takes integers only, the writer's any number",
        "SCHEMA_ADDED" => "the reader's schema describes items that the writer's leaves open",
        "MAX_LENGTH_ADDED" | "MIN_LENGTH_ADDED" | "PATTERN_ADDED" => {
            "the reader's schema restricts a string that the writer's leaves free"
        }
        "MAX_LENGTH_DECREASED" => "the reader's schema allows shorter strings than the writer's",
        "MIN_LENGTH_INCREASED" => "the reader's schema asks for longer strings than the writer's",
        "PATTERN_CHANGED" => "the reader's schema has another pattern than the writer's",
        "MAXIMUM_ADDED"
        | "MINIMUM_ADDED"
        | "EXCLUSIVE_MAXIMUM_ADDED"
        | "EXCLUSIVE_MINIMUM_ADDED"
        | "MULTIPLE_OF_ADDED" => "the reader's schema restricts a number that the writer's leaves free",
        "MAXIMUM_DECREASED" | "EXCLUSIVE_MAXIMUM_DECREASED" => {
            "the reader's schema has a lower maximum than the writer's"
        }
        "MINIMUM_INCREASED" | "EXCLUSIVE_MINIMUM_INCREASED" => {
            "the reader's schema has a higher minimum than the writer's"
        }
        "MULTIPLE_OF_EXPANDED" | "MULTIPLE_OF_CHANGED" => {
            "not every multiple in the writer's schema is one in the reader's"
        }
        "REQUIRED_ATTRIBUTE_ADDED" => "the reader's schema requires a field that is optional in the writer's",
        _ => "",
    }
}

/// The sentences about objects.
fn of_objects(kind: &str) -> &'static str {
    match kind {
        "MAX_PROPERTIES_ADDED" | "MIN_PROPERTIES_ADDED" => {
            "the reader's schema restricts the number of fields, the writer's does not"
        }
        "MAX_PROPERTIES_DECREASED" => "the reader's schema allows fewer fields than the writer's",
        "MIN_PROPERTIES_INCREASED" => "the reader's schema asks for more fields than the writer's",
        "ADDITIONAL_PROPERTIES_REMOVED" | "UNEVALUATED_PROPERTIES_REMOVED" => {
            "the reader's schema forbids further fields, the writer's allows them"
        }
        "ADDITIONAL_PROPERTIES_NARROWED" | "UNEVALUATED_PROPERTIES_NARROWED" => {
            "the reader's schema restricts further fields, which the writer's leaves free"
        }
        "DEPENDENCY_ARRAY_ADDED"
        | "DEPENDENCY_ARRAY_EXTENDED"
        | "DEPENDENCY_ARRAY_CHANGED"
        | "DEPENDENCY_SCHEMA_ADDED" => {
            "the reader's schema asks for more beside this field than the writer's"
        }
        "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"
        | "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL" => {
            "the reader's schema requires a field that the writer's does not have"
        }
        "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL"
        | "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL" => {
            "the reader's schema describes a field that the writer's does not, and as the writer's allows further fields, an \
             event may have it with another meaning; close the schema with \"additionalProperties\": false, or compare \
             leniently"
        }
        "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL" => {
            "the reader's schema does not have a field of the writer's and allows no further ones"
        }
        "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            "the reader's schema does not have a field of the writer's, and what it says of further fields does not cover it"
        }
        "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            "the reader's schema has a field that what the writer's says of further fields is not covered by"
        }
        _ => "",
    }
}

/// The sentences about arrays.
fn of_arrays(kind: &str) -> &'static str {
    match kind {
        "MAX_ITEMS_ADDED" | "MIN_ITEMS_ADDED" | "MAX_CONTAINS_ADDED" | "MIN_CONTAINS_ADDED" => {
            "the reader's schema restricts the number of items, the writer's does not"
        }
        "MAX_ITEMS_DECREASED" | "MAX_CONTAINS_DECREASED" => {
            "the reader's schema allows fewer items than the writer's"
        }
        "MIN_ITEMS_INCREASED" | "MIN_CONTAINS_INCREASED" => {
            "the reader's schema asks for more items than the writer's"
        }
        "UNIQUE_ITEMS_ADDED" => "the reader's schema wants items to be different, the writer's does not",
        "ADDITIONAL_ITEMS_REMOVED" | "UNEVALUATED_ITEMS_REMOVED" => {
            "the reader's schema forbids further items, the writer's allows them"
        }
        "ADDITIONAL_ITEMS_NARROWED" | "UNEVALUATED_ITEMS_NARROWED" => {
            "the reader's schema restricts further items, which the writer's leaves free"
        }
        "ITEM_ADDED_TO_OPEN_CONTENT_MODEL" | "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            "the reader's schema describes an item that the writer's allows to be anything else"
        }
        "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL"
        | "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            "the reader's schema does not have an item of the writer's"
        }
        _ => "",
    }
}

/// The sentences about lists of values and of schemas.
fn of_alternatives(kind: &str) -> &'static str {
    match kind {
        "ENUM_ARRAY_NARROWED" => "the reader's schema does not have all values of the writer's",
        "ENUM_ARRAY_CHANGED" => "the reader's schema has other values than the writer's",
        "COMBINED_TYPE_CHANGED" => {
            "the reader's schema combines its alternatives in another way than the writer's"
        }
        "PRODUCT_TYPE_EXTENDED" => "the reader's schema asks for more to match than the writer's",
        "SUM_TYPE_NARROWED" => "the reader's schema has fewer alternatives than the writer's",
        "COMBINED_TYPE_SUBSCHEMAS_CHANGED" => {
            "not every alternative of the writer's schema has one in the reader's that covers it"
        }
        "NOT_TYPE_EXTENDED" => "the reader's schema excludes more than the writer's",
        "SCHEMA_TOO_COMPLEX" => {
            "the two schemas are too large, or refer to themselves in too many ways, to be compared; make them smaller"
        }
        _ => "",
    }
}
