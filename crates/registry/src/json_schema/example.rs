//! A plausible value of a schema.
//!
//! What the schema itself names comes first: constants, examples, defaults, enumerations. The rest is made up from types,
//! formats and bounds, always the same. Recursion ends at the first schema that comes again within itself.
//!
//! Invariants: time and size are bounded by [`MAX_VALUES`]; what is given back is valid, if one of some attempts is.

mod pattern;
mod scalar;

use serde_json::{Map, Value};

use super::document::NodeId;
use super::keyword;
use super::references::{References, Target};
use crate::MAX_DEPTH;

/// Values in an example, at most.
const MAX_VALUES: usize = 2_000;
/// Items of an array, or members that only a count asks for, at most.
const MAX_ITEMS: u64 = 100;
/// Alternatives of each `oneOf` and `anyOf` that are tried.
const ALTERNATIVES: usize = 4;

/// A value for `references`' schema, of the attempts the first that `is_valid`, else the first.
pub(super) fn example(references: &References, is_valid: impl Fn(&Value) -> bool) -> Value {
    let mut first = None;
    for has_optional in [true, false] {
        for alternative in 0..ALTERNATIVES {
            let mut generator =
                Generator { references, has_optional, alternative, values: 0, depth: 0, open: Vec::new() };
            let Some(value) = generator.value(&[references.root()]) else { continue };
            if is_valid(&value) {
                return value;
            }
            first.get_or_insert(value);
        }
    }
    first.unwrap_or_default()
}

struct Generator<'r> {
    references: &'r References,
    /// Whether members are made that need not be there.
    has_optional: bool,
    /// The alternative that is taken first.
    alternative: usize,
    values: usize,
    depth: usize,
    /// The schemas that a value is being made of.
    open: Vec<NodeId>,
}

/// Schemas that a value must match all at once.
type Layers = Vec<NodeId>;

impl Generator<'_> {
    /// A value of all of `schemas`, `None` where there is none or recursion must end.
    fn value(&mut self, schemas: &[NodeId]) -> Option<Value> {
        self.values += 1;
        let is_too_much = self.values > MAX_VALUES || self.depth >= MAX_DEPTH;
        if is_too_much || schemas.iter().any(|id| self.references.json.bool(*id) == Some(false)) {
            return None;
        }
        let mut layers = Layers::new();
        self.unfold(schemas, &mut layers);
        if layers.iter().any(|id| self.open.contains(id)) {
            return None;
        }
        let before = self.open.len();
        self.open.extend(layers.iter().copied());
        self.depth += 1;
        let value = self.of_layers(&layers);
        self.depth -= 1;
        self.open.truncate(before);
        value
    }

    /// Adds schemas with what they refer to and what they are all of.
    fn unfold(&self, schemas: &[NodeId], layers: &mut Layers) {
        let json = &self.references.json;
        let mut next: Vec<NodeId> = schemas.iter().rev().copied().collect();
        while let Some(id) = next.pop() {
            if layers.contains(&id) || layers.len() > super::extent::MAX_CHAIN {
                continue;
            }
            if let Some(Target::Schema(target)) = self.references.target(id) {
                if !self.references.draft_of(id).is_modern() {
                    next.push(target);
                    continue;
                }
                next.push(target);
            }
            layers.push(id);
            let all = json.member(id, "allOf").and_then(|all| json.items(all)).unwrap_or_default();
            next.extend(all.iter().rev());
        }
    }

    fn of_layers(&mut self, layers: &Layers) -> Option<Value> {
        if let Some(named) = self.named(layers) {
            return Some(named);
        }
        let json = &self.references.json;
        for keyword in ["oneOf", "anyOf"] {
            let alternatives =
                self.find(layers, keyword).and_then(|list| json.items(list)).unwrap_or_default();
            for index in 0..alternatives.len() {
                let alternative =
                    alternatives.get((index + self.alternative) % alternatives.len()).copied()?;
                let mut with = layers.clone();
                self.unfold(&[alternative], &mut with);
                let is_again = with.iter().skip(layers.len()).any(|id| self.open.contains(id));
                if is_again || with.len() == layers.len() {
                    continue;
                }
                let before = self.open.len();
                self.open.extend(with.iter().skip(layers.len()).copied());
                let nested = self.of_alternative(&with, keyword, layers.len());
                self.open.truncate(before);
                if nested.is_some() {
                    return nested;
                }
            }
            if !alternatives.is_empty() {
                return None;
            }
        }
        self.of_type(layers)
    }

    /// With one alternative chosen, the choice is not made again: only what the alternative adds counts.
    fn of_alternative(&mut self, layers: &Layers, keyword: &str, chosen: usize) -> Option<Value> {
        if let Some(named) = self.named(layers) {
            return Some(named);
        }
        let added = layers.get(chosen..).unwrap_or_default().to_vec();
        if ["oneOf", "anyOf"].iter().any(|nested| self.find(&added, nested).is_some()) {
            return self.of_layers(&added);
        }
        debug_assert!(keyword == "oneOf" || keyword == "anyOf");
        self.of_type(layers)
    }

    /// What a schema names itself.
    fn named(&self, layers: &Layers) -> Option<Value> {
        let json = &self.references.json;
        let found = ["const", "examples", "example", "default", "enum"].into_iter().find_map(|keyword| {
            let value = self.find(layers, keyword)?;
            match keyword {
                "examples" | "enum" => json.items(value)?.first().copied(),
                _ => Some(value),
            }
        });
        found.map(|value| json.value(value))
    }

    fn of_type(&mut self, layers: &Layers) -> Option<Value> {
        Some(match self.type_of(layers).as_str() {
            "object" => return self.object(layers),
            "array" => return self.array(layers),
            "string" => Value::String(self.string(layers)),
            "integer" => self.number(layers, true),
            "number" => self.number(layers, false),
            "boolean" => Value::Bool(true),
            "null" => Value::Null,
            _ => Value::from("any value"),
        })
    }

    /// The type that the schemas name, or that their keywords hint at.
    fn type_of(&self, layers: &Layers) -> String {
        let json = &self.references.json;
        let mut named: Option<Vec<&str>> = None;
        for value in layers.iter().filter_map(|id| json.member(*id, "type")) {
            let types: Vec<&str> = match json.text(value) {
                Some(one) => vec![one],
                None => {
                    json.items(value).unwrap_or_default().iter().filter_map(|item| json.text(*item)).collect()
                }
            };
            let before = named.take().unwrap_or_default();
            let both: Vec<&str> = before.into_iter().filter(|name| types.contains(name)).collect();
            named = Some(if both.is_empty() { types } else { both });
        }
        if let Some(types) = named {
            let first = types.iter().find(|name| **name != "null").or(types.first());
            return first.copied().unwrap_or_default().to_owned();
        }
        let hints: [(&str, &[&str]); 4] = [
            (
                "object",
                &["properties", "required", "patternProperties", "minProperties", "additionalProperties"],
            ),
            ("array", &["items", "prefixItems", "minItems", "contains"]),
            ("string", &["format", "pattern", "minLength", "maxLength"]),
            ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
        ];
        let hinted = hints
            .iter()
            .find(|(_, keywords)| keywords.iter().any(|keyword| self.find(layers, keyword).is_some()));
        hinted.map_or_else(String::new, |(name, _)| (*name).to_owned())
    }

    fn object(&mut self, layers: &Layers) -> Option<Value> {
        let json = &self.references.json;
        let mut names: Vec<&str> = Vec::new();
        let mut required: Vec<&str> = Vec::new();
        for layer in layers {
            let properties =
                json.member(*layer, "properties").and_then(|properties| json.members(properties));
            names.extend(
                properties.into_iter().flat_map(|properties| properties.iter()).map(|(name, _)| name),
            );
            let list =
                json.member(*layer, "required").and_then(|required| json.items(required)).unwrap_or_default();
            required.extend(list.iter().filter_map(|name| json.text(*name)));
        }
        names.extend(required.iter().copied());
        let mut object = Map::new();
        for name in names {
            let is_required = required.contains(&name);
            if object.contains_key(name) || !(is_required || self.has_optional) {
                continue;
            }
            match self.value(&self.schemas_of(layers, name)) {
                Some(value) => {
                    object.insert(name.to_owned(), value);
                }
                None if is_required => return None,
                None => {}
            }
        }
        let count = self
            .find(layers, "minProperties")
            .and_then(|count| json.decimal(count))
            .map_or(0, |count| count.count());
        for index in 1..=count.min(MAX_ITEMS) {
            if object.len() as u64 >= count {
                break;
            }
            let name = format!("field{index}");
            let value = self.value(&self.schemas_of(layers, &name))?;
            object.insert(name, value);
        }
        Some(Value::Object(object))
    }

    /// The schemas of the member `name`.
    fn schemas_of(&self, layers: &Layers, name: &str) -> Vec<NodeId> {
        let json = &self.references.json;
        let mut schemas = Vec::new();
        for layer in layers {
            let own = json.member(*layer, "properties").and_then(|properties| json.member(properties, name));
            schemas.extend(own.or_else(|| {
                json.member(*layer, "additionalProperties").filter(|other| json.bool(*other).is_none())
            }));
        }
        schemas
    }

    fn array(&mut self, layers: &Layers) -> Option<Value> {
        let json = &self.references.json;
        let count = |keyword: &str| {
            self.find(layers, keyword).and_then(|count| json.decimal(count)).map(|count| count.count())
        };
        let items = self.find(layers, "items");
        let prefix = self
            .find(layers, "prefixItems")
            .or(items)
            .and_then(|items| json.items(items))
            .unwrap_or_default();
        let further =
            items.filter(|items| json.items(*items).is_none()).or_else(|| self.find(layers, "contains"));
        let least = count("minItems").unwrap_or(0);
        let wanted = least.max(if self.has_optional { prefix.len().max(1) as u64 } else { 0 });
        let wanted = wanted.min(count("maxItems").unwrap_or(u64::MAX)).min(MAX_ITEMS);
        let is_unique = self.find(layers, "uniqueItems").and_then(|unique| json.bool(unique)) == Some(true);
        let mut list: Vec<Value> = Vec::new();
        for index in 0..wanted {
            let schema = prefix.get(usize::try_from(index).unwrap_or(usize::MAX)).copied().or(further);
            match self.value(schema.as_slice()) {
                Some(value) if is_unique => list.push(scalar::different(value, &list)),
                Some(value) => list.push(value),
                None if index < least => return None,
                None => break,
            }
        }
        Some(Value::Array(list))
    }

    /// The value of a keyword in the first schema that has it.
    fn find(&self, layers: &Layers, keyword: &str) -> Option<NodeId> {
        debug_assert!(!keyword.is_empty() && (keyword::is_data(keyword) || keyword != "$ref"));
        layers.iter().find_map(|id| self.references.json.member(*id, keyword))
    }
}
