//! Drafts 4, 6 and 7 as Confluent's registry reads them.
//!
//! Each keyword belongs to one of the kinds. A schema with keywords of several kinds is all of those at once; `type` takes
//! the keywords of its kinds with it, so that a list of types is any of schemas that each have their own rules.

use super::super::document::NodeId;
use super::super::draft::Draft;
use super::build::Builder;
use super::kind::{ArrayRules, Child, Criterion, Kind, NumberRules, ObjectRules, Schema, StringRules};

const ARRAY: &[&str] = &["items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"];
const OBJECT: &[&str] = &[
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "dependencies",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
];
const NUMBER: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const STRING: &[&str] = &["minLength", "maxLength", "pattern", "format"];

impl Builder<'_> {
    /// The schema `id`, an object.
    pub(super) fn previous(&mut self, id: NodeId) -> Schema {
        if let Some(reference) = self.text(id, "$ref") {
            let kind = self.reference(id, &reference);
            let mut schema = Schema::of(kind);
            self.annotate(id, &mut schema);
            return schema;
        }
        let mut kinds: Vec<Kind> = Vec::new();
        kinds.extend(self.enumeration(id));
        for criterion in [Criterion::All, Criterion::Any, Criterion::One] {
            kinds.extend(
                self.children(id, criterion.as_str()).map(|children| Kind::Combined(criterion, children)),
            );
        }
        kinds.extend(self.child(id, "not").map(Kind::Not));
        if self.references.draft_of(id) != Draft::Four {
            kinds.extend(self.constant(id));
        }
        kinds.extend(self.previous_types(id));
        if self.references.draft_of(id) == Draft::Seven && self.has_any(id, &["if", "then", "else"]) {
            kinds.push(Kind::Conditional);
        }
        let mut schema = match <[Kind; 1]>::try_from(kinds) {
            Ok([kind]) => Schema::of(kind),
            Err(kinds) if kinds.is_empty() => Schema::default(),
            Err(kinds) => {
                let children = kinds.into_iter().map(|kind| self.add(Schema::of(kind))).collect();
                Schema::of(Kind::Combined(Criterion::All, children))
            }
        };
        self.annotate(id, &mut schema);
        schema
    }

    /// The kinds that `type` names, and those that other keywords hint at.
    fn previous_types(&mut self, id: NodeId) -> Vec<Kind> {
        let mut kinds = Vec::new();
        let named: Vec<String> = match self.text(id, "type") {
            Some(one) => {
                kinds.extend(self.previous_type(id, &one));
                vec![one]
            }
            None => {
                let many = self.texts(id, "type");
                if self.json().member(id, "type").is_some() {
                    let types: Vec<Kind> =
                        many.iter().filter_map(|name| self.previous_type(id, name)).collect();
                    let children: Vec<Child> =
                        types.into_iter().map(|kind| self.add(Schema::of(kind))).collect();
                    kinds.push(Kind::Combined(Criterion::Any, children));
                }
                many
            }
        };
        let is_named = |names: &[&str]| names.iter().any(|name| named.iter().any(|named| named == name));
        if !is_named(&["array"]) && self.has_any(id, ARRAY) {
            kinds.push(self.previous_array(id));
        }
        if !is_named(&["object"]) && self.has_any(id, OBJECT) {
            kinds.push(self.previous_object(id));
        }
        if !is_named(&["number", "integer"]) && self.has_any(id, NUMBER) {
            kinds.push(self.previous_number(id, false));
        }
        if !is_named(&["string"]) && self.has_any(id, STRING) {
            kinds.push(self.previous_string(id));
        }
        kinds
    }

    fn has_any(&self, id: NodeId, keywords: &[&str]) -> bool {
        let is_four = self.references.draft_of(id) == Draft::Four;
        let is_known = |keyword: &str| !is_four || !matches!(keyword, "contains" | "propertyNames");
        keywords.iter().any(|keyword| is_known(keyword) && self.json().member(id, keyword).is_some())
    }

    fn previous_type(&mut self, id: NodeId, name: &str) -> Option<Kind> {
        Some(match name {
            "string" => self.previous_string(id),
            "integer" => self.previous_number(id, true),
            "number" => self.previous_number(id, false),
            "boolean" => Kind::Boolean,
            "null" => Kind::Null,
            "array" => self.previous_array(id),
            "object" => self.previous_object(id),
            _ => return None,
        })
    }

    fn previous_string(&self, id: NodeId) -> Kind {
        Kind::String(StringRules {
            min_length: self.number(id, "minLength"),
            max_length: self.number(id, "maxLength"),
            pattern: self.text(id, "pattern"),
        })
    }

    fn previous_number(&self, id: NodeId, is_integer: bool) -> Kind {
        Kind::Number(NumberRules {
            minimum: self.number(id, "minimum"),
            maximum: self.number(id, "maximum"),
            // In draft 4 they are booleans, which Confluent does not compare.
            exclusive_minimum: self.number(id, "exclusiveMinimum"),
            exclusive_maximum: self.number(id, "exclusiveMaximum"),
            multiple_of: self.number(id, "multipleOf"),
            is_integer,
        })
    }

    fn previous_array(&mut self, id: NodeId) -> Kind {
        let items = self.children(id, "items");
        let all_items = if items.is_some() { None } else { self.child(id, "items") };
        let is_closed = self.bool(id, "additionalItems") == Some(false) && all_items.is_none();
        let has_additional = self.bool(id, "additionalItems").is_none();
        let has_contains = self.references.draft_of(id) != Draft::Four;
        Kind::Array(Box::new(ArrayRules {
            min_items: self.number(id, "minItems"),
            max_items: self.number(id, "maxItems"),
            is_unique: self.bool(id, "uniqueItems") == Some(true),
            all_items,
            items: items.unwrap_or_default(),
            is_closed,
            additional: if has_additional { self.child(id, "additionalItems") } else { None },
            contains: if has_contains { self.child(id, "contains") } else { None },
            ..ArrayRules::default()
        }))
    }

    fn previous_object(&mut self, id: NodeId) -> Kind {
        let closed = self.bool(id, "additionalProperties");
        let mut rules = ObjectRules {
            properties: self.children_by_name(id, "properties").into_iter().collect(),
            required: self.texts(id, "required").into_iter().collect(),
            min_properties: self.number(id, "minProperties"),
            max_properties: self.number(id, "maxProperties"),
            is_closed: closed == Some(false),
            additional: if closed.is_none() { self.child(id, "additionalProperties") } else { None },
            patterns: self.children_by_name(id, "patternProperties"),
            names: if self.references.draft_of(id) == Draft::Four {
                None
            } else {
                self.child(id, "propertyNames")
            },
            ..ObjectRules::default()
        };
        let dependencies =
            self.json().member(id, "dependencies").and_then(|value| self.json().members(value));
        for (name, value) in dependencies.into_iter().flat_map(|members| members.iter()) {
            if let Some(names) = self.json().items(value) {
                let names =
                    names.iter().filter_map(|item| self.json().text(*item)).map(str::to_owned).collect();
                rules.property_dependencies.insert(name.to_owned(), names);
            } else {
                let child = self.schema(value);
                rules.schema_dependencies.insert(name.to_owned(), child);
            }
        }
        Kind::Object(Box::new(rules))
    }
}
