//! Drafts 2019-09 and 2020-12 as Confluent's registry reads them.
//!
//! Each keyword is a schema of its own, and those of one kind are one: `minLength` goes into the string of `type`. What
//! is left of several kinds must all match. `type` counts first, so that the order of keywords does not matter.

use std::mem::discriminant;

use super::super::document::NodeId;
use super::build::Builder;
use super::kind::{ArrayRules, Child, Criterion, Kind, NumberRules, ObjectRules, Schema, StringRules};

/// The kinds that the keywords of one schema add up to.
#[derive(Default)]
struct Kinds {
    /// Of a `type` with several names.
    types: Option<Vec<Kind>>,
    others: Vec<Kind>,
}

impl Kinds {
    fn add(&mut self, kind: Kind) {
        let candidates = self.types.iter_mut().flatten().chain(&mut self.others);
        for candidate in candidates {
            if discriminant(candidate) == discriminant(&kind) {
                match (candidate, kind) {
                    (Kind::String(mine), Kind::String(theirs)) => mine.take(theirs),
                    (Kind::Number(mine), Kind::Number(theirs)) => mine.take(theirs),
                    (Kind::Array(mine), Kind::Array(theirs)) => mine.take(*theirs),
                    (Kind::Object(mine), Kind::Object(theirs)) => mine.take(*theirs),
                    (_, kind) => self.others.push(kind),
                }
                return;
            }
        }
        self.others.push(kind);
    }
}

impl Builder<'_> {
    /// The schema `id`, an object.
    pub(super) fn modern(&mut self, id: NodeId) -> Schema {
        let mut kinds = Kinds::default();
        if let Some(one) = self.text(id, "type") {
            kinds.others.extend(modern_type(&one));
        } else if self.json().member(id, "type").is_some() {
            kinds.types = Some(self.texts(id, "type").iter().filter_map(|name| modern_type(name)).collect());
        }
        let keywords: Vec<String> = self
            .json()
            .members(id)
            .into_iter()
            .flat_map(|members| members.iter())
            .map(|(name, _)| name.to_owned())
            .collect();
        for keyword in keywords {
            if let Some(kind) = self.modern_keyword(id, &keyword) {
                kinds.add(kind);
            }
        }
        let mut all = kinds.others;
        if let Some(types) = kinds.types {
            let children = types.into_iter().map(|kind| self.add(Schema::of(kind))).collect();
            all.insert(0, Kind::Combined(Criterion::Any, children));
        }
        let mut schema = match <[Kind; 1]>::try_from(all) {
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

    fn modern_keyword(&mut self, id: NodeId, keyword: &str) -> Option<Kind> {
        Some(match keyword {
            "$ref" | "$dynamicRef" | "$recursiveRef" => {
                let name = self.text(id, keyword)?;
                self.reference(id, &name)
            }
            "enum" => self.enumeration(id)?,
            "const" => self.constant(id)?,
            "not" => Kind::Not(self.child(id, keyword)?),
            "if" => Kind::Conditional,
            "allOf" => Kind::Combined(Criterion::All, self.flat_children(id)?),
            "anyOf" => Kind::Combined(Criterion::Any, self.children(id, keyword)?),
            "oneOf" => Kind::Combined(Criterion::One, self.children(id, keyword)?),
            "minLength" | "maxLength" | "pattern" => Kind::String(StringRules {
                min_length: self.number(id, "minLength"),
                max_length: self.number(id, "maxLength"),
                pattern: self.text(id, "pattern"),
            }),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                Kind::Number(NumberRules {
                    minimum: self.number(id, "minimum"),
                    maximum: self.number(id, "maximum"),
                    exclusive_minimum: self.number(id, "exclusiveMinimum"),
                    exclusive_maximum: self.number(id, "exclusiveMaximum"),
                    multiple_of: self.number(id, "multipleOf"),
                    is_integer: false,
                })
            }
            _ => {
                let array = self.modern_array(id, keyword).map(|rules| Kind::Array(Box::new(rules)));
                return array
                    .or_else(|| self.modern_object(id, keyword).map(|rules| Kind::Object(Box::new(rules))));
            }
        })
    }

    /// The schemas of `allOf`; those that are themselves all of several kinds are taken apart.
    fn flat_children(&mut self, id: NodeId) -> Option<Vec<Child>> {
        let value = self.json().member(id, "allOf")?;
        let items = self.json().items(value)?;
        let mut flat = Vec::new();
        for item in items {
            let child = self.schema(*item);
            let is_generated = self.json().member(*item, "allOf").is_none();
            match &self.get(child).kind {
                Kind::Combined(Criterion::All, children) if is_generated => {
                    flat.extend(children.iter().copied());
                }
                _ => flat.push(child),
            }
        }
        Some(flat)
    }

    fn modern_array(&mut self, id: NodeId, keyword: &str) -> Option<ArrayRules> {
        let mut rules = ArrayRules::default();
        match keyword {
            "items" => match self.children(id, "items") {
                // 2019-09 has a list here as the drafts before it.
                Some(items) => {
                    rules.items = items;
                    self.further_items(id, "additionalItems", &mut rules);
                }
                None if self.children(id, "prefixItems").is_some_and(|items| !items.is_empty()) => {
                    self.further_items(id, "items", &mut rules);
                }
                None if self.bool(id, "items") == Some(false) => rules.is_closed = true,
                None if self.bool(id, "items") == Some(true) => {}
                None => rules.all_items = self.child(id, "items"),
            },
            "prefixItems" => rules.items = self.children(id, keyword)?,
            "contains" => {
                rules.contains = self.child(id, keyword);
                let one = super::super::number::Decimal::parse("1");
                rules.min_contains = Some(self.number(id, "minContains").unwrap_or(one));
                rules.max_contains = self.number(id, "maxContains");
            }
            "minItems" => rules.min_items = self.number(id, keyword),
            "maxItems" => rules.max_items = self.number(id, keyword),
            "uniqueItems" => rules.is_unique = self.bool(id, keyword) == Some(true),
            "unevaluatedItems" => rules.unevaluated = self.child(id, keyword),
            _ => return None,
        }
        Some(rules)
    }

    fn further_items(&mut self, id: NodeId, keyword: &str, rules: &mut ArrayRules) {
        match self.bool(id, keyword) {
            Some(is_open) => rules.is_closed = !is_open,
            None => rules.additional = self.child(id, keyword),
        }
    }

    fn modern_object(&mut self, id: NodeId, keyword: &str) -> Option<ObjectRules> {
        let mut rules = ObjectRules::default();
        match keyword {
            "additionalProperties" => match self.bool(id, keyword) {
                Some(is_open) => rules.is_closed = !is_open,
                None => rules.additional = self.child(id, keyword),
            },
            "properties" => {
                rules.properties = self.children_by_name(id, keyword).into_iter().collect();
                // Without any there is nothing to visit, and the schema stays without a kind.
                if rules.properties.is_empty() {
                    return None;
                }
            }
            "patternProperties" => {
                rules.patterns = self.children_by_name(id, keyword);
                if rules.patterns.is_empty() {
                    return None;
                }
            }
            "required" => rules.required = self.texts(id, keyword).into_iter().collect(),
            "minProperties" => rules.min_properties = self.number(id, keyword),
            "maxProperties" => rules.max_properties = self.number(id, keyword),
            "dependentRequired" => {
                let lists = self.json().member(id, keyword).and_then(|value| self.json().members(value));
                for (name, value) in lists.into_iter().flat_map(|members| members.iter()) {
                    let names = self.json().items(value).unwrap_or_default().iter();
                    let names = names.filter_map(|item| self.json().text(*item)).map(str::to_owned).collect();
                    rules.property_dependencies.insert(name.to_owned(), names);
                }
            }
            "dependentSchemas" => {
                rules.schema_dependencies = self.children_by_name(id, keyword).into_iter().collect();
            }
            "propertyNames" => rules.names = self.child(id, keyword),
            "unevaluatedProperties" => rules.unevaluated = self.child(id, keyword),
            _ => return None,
        }
        Some(rules)
    }
}

fn modern_type(name: &str) -> Option<Kind> {
    Some(match name {
        "string" => Kind::String(StringRules::default()),
        "integer" => Kind::Number(NumberRules { is_integer: true, ..NumberRules::default() }),
        "number" => Kind::Number(NumberRules::default()),
        "boolean" => Kind::Boolean,
        "null" => Kind::Null,
        "array" => Kind::Array(Box::default()),
        "object" => Kind::Object(Box::default()),
        _ => return None,
    })
}

/// Takes what is said over what is not.
fn take<T>(mine: &mut Option<T>, theirs: Option<T>) {
    if theirs.is_some() {
        *mine = theirs;
    }
}

impl StringRules {
    fn take(&mut self, other: Self) {
        take(&mut self.min_length, other.min_length);
        take(&mut self.max_length, other.max_length);
        take(&mut self.pattern, other.pattern);
    }
}

impl NumberRules {
    fn take(&mut self, other: Self) {
        take(&mut self.minimum, other.minimum);
        take(&mut self.maximum, other.maximum);
        take(&mut self.exclusive_minimum, other.exclusive_minimum);
        take(&mut self.exclusive_maximum, other.exclusive_maximum);
        take(&mut self.multiple_of, other.multiple_of);
        self.is_integer |= other.is_integer;
    }
}

impl ArrayRules {
    fn take(&mut self, other: Self) {
        take(&mut self.min_items, other.min_items);
        take(&mut self.max_items, other.max_items);
        take(&mut self.min_contains, other.min_contains);
        take(&mut self.max_contains, other.max_contains);
        take(&mut self.all_items, other.all_items);
        take(&mut self.additional, other.additional);
        take(&mut self.unevaluated, other.unevaluated);
        take(&mut self.contains, other.contains);
        self.is_unique |= other.is_unique;
        self.is_closed |= other.is_closed;
        self.items.extend(other.items);
    }
}

impl ObjectRules {
    fn take(&mut self, other: Self) {
        take(&mut self.min_properties, other.min_properties);
        take(&mut self.max_properties, other.max_properties);
        take(&mut self.additional, other.additional);
        take(&mut self.unevaluated, other.unevaluated);
        take(&mut self.names, other.names);
        self.is_closed |= other.is_closed;
        self.properties.extend(other.properties);
        self.required.extend(other.required);
        self.patterns.extend(other.patterns);
        self.property_dependencies.extend(other.property_dependencies);
        self.schema_dependencies.extend(other.schema_dependencies);
    }
}
