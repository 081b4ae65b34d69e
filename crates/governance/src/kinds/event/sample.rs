//! A sample of an event, made from its contract, its key and its time: for commands that a user may copy.
//!
//! Invariants: the sample has a value for the key and one for the time, where the event names such fields; it has at
//! most [`MOST_FIELDS`] fields at each level, unless more are required, and at most [`DEEPEST`] levels.
//!
//! Not here: validation. A sample follows `type`, `format`, `enum`, `const`, `default`, `examples`, bounds and local
//! `$ref`s of JSON Schema (2020-12); a contract with other constraints gives examples where they matter.

use factum_types::Timestamp;
use serde_json::{Map, Number, Value, json};

use super::{EventDefinition, Format};

/// More fields say no more about the event.
const MOST_FIELDS: usize = 24;
/// A contract that refers to itself ends here.
const DEEPEST: usize = 6;
/// `$ref`s that are followed one after the other.
const MOST_REFERENCES: usize = 8;
const TEXT: &str = "text";
const PERSON: &str = "ada@example.com";

impl EventDefinition {
    /// A sample of this event's data at `now`; `None` for formats that are not JSON.
    pub fn sample(&self, now: Timestamp) -> Option<Value> {
        if self.format != Format::Json {
            return None;
        }
        let contract = self.contract.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let contract = contract.unwrap_or_default();
        let mut fields = Contract { root: &contract, now }.fields(&contract, 0);
        // The first field that the contract describes stays the first.
        if let Some(key) = &self.key {
            let is_text = fields.get(key).is_none_or(|value| value == TEXT);
            if is_text {
                fields.insert(key.clone(), PERSON.into());
            }
        }
        if let Some(time) = &self.time {
            let is_text = fields.get(time).is_none_or(Value::is_string);
            if is_text {
                fields.insert(time.clone(), moment(now).into());
            }
        }
        if fields.is_empty() {
            fields.insert("hello".to_owned(), "world".into());
        }
        Some(Value::Object(fields))
    }
}

/// A JSON Schema, and the time at which the sample is made.
struct Contract<'a> {
    root: &'a Value,
    now: Timestamp,
}

impl Contract<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        let schema = self.resolve(schema);
        if let Some(given) = given(schema) {
            return given.clone();
        }
        match type_of(schema) {
            "object" => Value::Object(self.fields(schema, depth)),
            "array" if depth < DEEPEST => match schema.get("items") {
                Some(items) => json!([self.value(items, depth + 1)]),
                None => json!([]),
            },
            "array" => json!([]),
            "integer" => whole_number(schema).into(),
            "number" => number(schema),
            "boolean" => true.into(),
            "null" => Value::Null,
            _ => self.text(schema).into(),
        }
    }

    /// The required fields, and the first ones of the others.
    fn fields(&self, schema: &Value, depth: usize) -> Map<String, Value> {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return Map::new();
        };
        if depth >= DEEPEST {
            return Map::new();
        }
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|each| each == name));
        let shown =
            properties.iter().enumerate().filter(|(at, (name, _))| *at < MOST_FIELDS || is_required(name));
        shown.map(|(_, (name, schema))| (name.clone(), self.value(schema, depth + 1))).collect()
    }

    /// What `$ref`, or the first of several alternatives, leads to.
    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let mut schema = schema;
        for _ in 0..MOST_REFERENCES {
            let reference = schema.get("$ref").and_then(Value::as_str);
            let pointed = reference.and_then(|to| to.strip_prefix('#')).and_then(|to| self.root.pointer(to));
            let alternative = ["oneOf", "anyOf", "allOf"].iter().find_map(|word| schema.get(word)?.get(0));
            match pointed.or(alternative) {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    fn text(&self, schema: &Value) -> String {
        let now = moment(self.now);
        let text = match schema.get("format").and_then(Value::as_str) {
            Some("date-time") => now,
            Some("date") => now.chars().take("2026-01-01".len()).collect(),
            Some("time") => "12:00:00Z".to_owned(),
            Some("email" | "idn-email") => PERSON.to_owned(),
            Some("uuid") => "0b0e4f5c-6f0e-4f0a-9d57-6d1c7b2f6f10".to_owned(),
            Some("uri" | "iri" | "uri-reference") => "https://example.com/".to_owned(),
            Some("hostname") => "example.com".to_owned(),
            Some("ipv4") => "192.0.2.1".to_owned(),
            Some("ipv6") => "2001:db8::1".to_owned(),
            _ => TEXT.to_owned(),
        };
        let limit =
            |name: &str| schema.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let length = text.chars().count();
        match (limit("minLength"), limit("maxLength")) {
            // A contract that asks for a very long text gives an example of its own, or none that works.
            (Some(least), _) if length < least => text.chars().cycle().take(least.min(1_000)).collect(),
            (_, Some(most)) if length > most => text.chars().take(most).collect(),
            _ => text,
        }
    }
}

/// A value that the contract itself spells out.
fn given(schema: &Value) -> Option<&Value> {
    let examples = schema.get("examples").and_then(|all| all.get(0));
    let choices = schema.get("enum").and_then(|all| all.get(0));
    schema.get("const").or(examples).or(schema.get("default")).or(choices)
}

/// The type, the first that is not `null` of several; where the contract has none, what its other words are about.
fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(one)) => one,
        Some(Value::Array(several)) => {
            several.iter().filter_map(Value::as_str).find(|each| *each != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn whole_number(schema: &Value) -> i64 {
    let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum").and_then(|below| below.checked_add(1)));
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").and_then(|above| above.checked_sub(1)));
    within(1, least, most)
}

fn number(schema: &Value) -> Value {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|below| below + 0.5));
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|above| above - 0.5));
    Number::from_f64(within(9.5, least, most)).map_or(Value::Null, Value::Number)
}

/// `usual` where the bounds allow it, else the bound that it crosses.
fn within<T: PartialOrd>(usual: T, least: Option<T>, most: Option<T>) -> T {
    match (least, most) {
        (Some(least), _) if usual < least => least,
        (_, Some(most)) if usual > most => most,
        _ => usual,
    }
}

/// In RFC 3339, to the second.
fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::Visibility;

    fn check(contract: Option<&str>, key: Option<&str>, time: Option<&str>, expected: &Expect) {
        let event = EventDefinition {
            topic: "store.orders".parse().expect("a name"),
            team: "store".parse().expect("a name"),
            project: "shop".to_owned(),
            summary: None,
            format: Format::Json,
            schema: None,
            contract: contract.map(Into::into),
            time: time.map(str::to_owned),
            lateness: None,
            key: key.map(str::to_owned),
            partitions: None,
            settings: crate::TopicSettings::default(),
            visibility: Visibility::Company,
            capture: None,
            event_type: "shop.store.orders".to_owned(),
            source: "/shop/store".to_owned(),
        };
        let now = Timestamp::from_millis(1_790_000_000_123);
        expected.assert_eq(&event.sample(now).expect("it is JSON").to_string());
    }

    #[test]
    fn an_event_without_a_contract_has_its_key_and_its_time() {
        check(None, None, None, &expect![[r#"{"hello":"world"}"#]]);
        check(
            None,
            Some("email"),
            Some("at"),
            &expect![[r#"{"email":"ada@example.com","at":"2026-09-21T14:13:20Z"}"#]],
        );
    }

    #[test]
    fn fields_are_filled_by_type_and_format() {
        let contract = r##"{"type": "object", "properties": {
            "id": {"type": "string", "format": "uuid"}, "email": {"type": "string"},
            "at": {"type": "string", "format": "date-time"}, "day": {"type": "string", "format": "date"},
            "count": {"type": ["null", "integer"], "minimum": 3}, "share": {"type": "number", "maximum": 1},
            "state": {"enum": ["paid", "sent"]}, "gift": {"type": "boolean"}, "code": {"type": "string", "maxLength": 2},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}}},
            "$defs": {"line": {"properties": {"sku": {"examples": ["film-7"]}, "more": {"$ref": "#/$defs/line"}}}}}"##;
        check(
            Some(contract),
            Some("email"),
            Some("at"),
            &expect![[
                r#"{"id":"0b0e4f5c-6f0e-4f0a-9d57-6d1c7b2f6f10","email":"ada@example.com","at":"2026-09-21T14:13:20Z","day":"2026-09-21","count":3,"share":1.0,"state":"paid","gift":true,"code":"te","lines":[{"sku":"film-7","more":{"sku":"film-7","more":{"sku":"film-7","more":{"sku":"film-7","more":{}}}}}]}"#
            ]],
        );
    }

    #[test]
    fn the_first_fields_and_the_required_ones_are_shown() {
        let properties: Vec<_> = (0..100).map(|n| format!(r#""f{n}": {{"type": "null"}}"#)).collect();
        let contract = format!(r#"{{"properties": {{{}}}, "required": ["f70"]}}"#, properties.join(","));
        check(
            Some(&contract),
            None,
            None,
            &expect![[
                r#"{"f0":null,"f1":null,"f2":null,"f3":null,"f4":null,"f5":null,"f6":null,"f7":null,"f8":null,"f9":null,"f10":null,"f11":null,"f12":null,"f13":null,"f14":null,"f15":null,"f16":null,"f17":null,"f18":null,"f19":null,"f20":null,"f21":null,"f22":null,"f23":null,"f70":null}"#
            ]],
        );
    }
}
