//! Strings and numbers of examples.

use serde_json::Value;

use super::super::number::Decimal;
use super::{Generator, Layers, pattern};

/// Characters of a string that only a length asks for, at most.
const MAX_LENGTH: u64 = 10_000;

impl Generator<'_> {
    pub(super) fn string(&self, layers: &Layers) -> String {
        let json = &self.references.json;
        let text = |keyword: &str| self.find(layers, keyword).and_then(|value| json.text(value));
        let count = |keyword: &str| {
            self.find(layers, keyword).and_then(|value| json.decimal(value)).map(|value| value.count())
        };
        if let Some(of_format) = text("format").and_then(of_format) {
            return of_format.to_owned();
        }
        if let Some(matching) = text("pattern").and_then(pattern::matching) {
            return matching;
        }
        let least = count("minLength").unwrap_or(0).min(MAX_LENGTH);
        let most = count("maxLength").unwrap_or(u64::MAX);
        let mut string: String = "text".chars().take(usize::try_from(most).unwrap_or(usize::MAX)).collect();
        while (string.len() as u64) < least {
            string.push('x');
        }
        string
    }

    pub(super) fn number(&self, layers: &Layers, is_integer: bool) -> Value {
        let json = &self.references.json;
        let bound = |keyword: &str| {
            self.find(layers, keyword).and_then(|value| json.decimal(value)).map(|value| value.to_f64())
        };
        // Up to draft 4 an exclusive bound is a flag beside the bound.
        let is_exclusive =
            |keyword: &str| self.find(layers, keyword).and_then(|value| json.bool(value)) == Some(true);
        let step = bound("multipleOf").filter(|step| *step > 0.0);
        let nudge = step.unwrap_or(if is_integer { 1.0 } else { 0.5 });
        let mut least = bound("minimum")
            .map(|least| if is_exclusive("exclusiveMinimum") { least + nudge } else { least });
        let mut most =
            bound("maximum").map(|most| if is_exclusive("exclusiveMaximum") { most - nudge } else { most });
        if let Some(exclusive) = bound("exclusiveMinimum") {
            least = Some(least.unwrap_or(f64::MIN).max(exclusive + nudge));
        }
        if let Some(exclusive) = bound("exclusiveMaximum") {
            most = Some(most.unwrap_or(f64::MAX).min(exclusive - nudge));
        }
        let plain = step.unwrap_or(if is_integer { 1.0 } else { 1.5 });
        let mut number = match (least, most) {
            (Some(least), Some(most)) if plain < least || plain > most => {
                if least <= most {
                    least
                } else {
                    f64::midpoint(least, most)
                }
            }
            (Some(least), None) if plain < least => least,
            (None, Some(most)) if plain > most => most,
            _ => plain,
        };
        if let Some(step) = step {
            let multiple = (number / step).ceil() * step;
            number = if most.is_some_and(|most| multiple > most) {
                (number / step).floor() * step
            } else {
                multiple
            };
        } else if is_integer {
            number = number.ceil();
        }
        // Through decimal text, so that 3 × 0.1 is 0.3.
        let text = format!("{number:.9}");
        let decimal = Decimal::parse(&text);
        if decimal.is_integer() || is_integer {
            return serde_json::from_str(&decimal.to_string()).unwrap_or_else(|_| Value::from(1));
        }
        Value::from(decimal.to_f64())
    }
}

fn of_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "date-time" => "2026-01-31T12:00:00Z",
        "date" => "2026-01-31",
        "time" => "12:00:00Z",
        "duration" => "P1D",
        "email" | "idn-email" => "name@example.com",
        "hostname" | "idn-hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uri" | "iri" | "url" => "https://example.com/a",
        "uri-reference" | "iri-reference" => "/a",
        "uri-template" => "/a/{id}",
        "uuid" => "123e4567-e89b-42d3-a456-426614174000",
        "json-pointer" => "/field",
        "relative-json-pointer" => "0/field",
        "regex" => "^a+$",
        "byte" => "dGV4dA==",
        _ => return None,
    })
}

/// A scalar that is not in `others` yet, where that is easy to do.
pub(super) fn different(value: Value, others: &[Value]) -> Value {
    if !others.contains(&value) {
        return value;
    }
    match &value {
        Value::String(text) => Value::from(format!("{text}{}", others.len() + 1)),
        Value::Number(number) => {
            let shift = others.len() as u64;
            number.as_u64().and_then(|number| number.checked_add(shift)).map_or(value, Value::from)
        }
        _ => value,
    }
}
