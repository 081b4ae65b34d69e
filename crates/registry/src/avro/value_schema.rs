//! The JSON Schema of values as they are decoded, for readers that go by fields: SQL's columns.
//!
//! What JSON Schema cannot say of one field alone is left out: maps, fields of several types at once, and records that
//! contain themselves beyond the first level.

use serde_json::{Map, Value, json};

use super::Schema;
use super::logical::LogicalType;
use super::types::{Field, Kind, Type, TypeId};
use crate::MAX_DEPTH;

/// Fields of records, those within others included, at most; a schema can stand for many more than it has characters.
const MAX_FIELDS: usize = 2000;
/// Digits behind the point of a `double` that are kept in a decimal.
const DOUBLE_STEP: f64 = 1e-9;

/// Where a walk through the types is.
struct Walk {
    /// The records around the type.
    within: Vec<TypeId>,
    fields: usize,
}

impl Schema {
    /// The JSON Schema of a record's fields; `None` if the schema is no record.
    pub fn value_schema(&self) -> Option<Value> {
        let Kind::Record(record) = self.types.kind(self.root) else { return None };
        self.object(&record.fields, &mut Walk { within: vec![self.root], fields: 0 })
    }

    /// `None` for a type that is no one field. It is `walk`ed to from the root.
    fn value_type(&self, id: TypeId, walk: &mut Walk) -> Option<Value> {
        let of = self.types.get(id);
        Some(match &of.kind {
            Kind::Null | Kind::Map(_) => return None,
            Kind::Boolean => json!({"type": "boolean"}),
            Kind::Int | Kind::Long => match of.logical {
                Some(_) => text(of),
                None => json!({"type": "integer"}),
            },
            Kind::Float | Kind::Double => json!({"type": "number", "multipleOf": DOUBLE_STEP}),
            Kind::Bytes | Kind::Fixed(_) | Kind::String | Kind::Enum(_) => text(of),
            Kind::Array(inner) => json!({"type": "array", "items": self.value_type(*inner, walk)?}),
            Kind::Record(record) => {
                if walk.within.contains(&id) || walk.within.len() >= MAX_DEPTH {
                    return None;
                }
                walk.within.push(id);
                let object = self.object(&record.fields, walk);
                walk.within.pop();
                object?
            }
            Kind::Union(branches) => {
                let mut others =
                    branches.iter().filter(|branch| !matches!(self.types.kind(**branch), Kind::Null));
                match (others.next(), others.next()) {
                    (Some(only), None) => self.value_type(*only, walk)?,
                    _ => return None,
                }
            }
        })
    }

    fn object(&self, fields: &[Field], walk: &mut Walk) -> Option<Value> {
        let mut properties = Map::new();
        for field in fields {
            walk.fields += 1;
            if walk.fields > MAX_FIELDS {
                break;
            }
            if let Some(of) = self.value_type(field.of, walk) {
                properties.insert(field.name.clone(), of);
            }
        }
        (!properties.is_empty()).then(|| json!({"type": "object", "properties": properties}))
    }
}

/// What is text in JSON, and what it means.
fn text(of: &Type) -> Value {
    match of.logical {
        Some(LogicalType::Decimal { scale, .. }) => match scale {
            0 => json!({"type": "number", "multipleOf": 1}),
            scale => {
                let step: Value = serde_json::from_str(&format!("1e-{scale}")).expect("a number");
                json!({"type": "number", "multipleOf": step})
            }
        },
        Some(LogicalType::Date) => json!({"type": "string", "format": "date"}),
        Some(LogicalType::Timestamp(_)) => json!({"type": "string", "format": "date-time"}),
        _ => json!({"type": "string"}),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn fields_that_are_one_type_are_columns() {
        let text = r#"{"type":"record","name":"Order","fields":[
            {"name":"id","type":"string"},
            {"name":"total","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}},
            {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
            {"name":"day","type":{"type":"int","logicalType":"date"}},
            {"name":"note","type":["null","string"],"default":null},
            {"name":"either","type":["string","long"]},
            {"name":"extra","type":{"type":"map","values":"string"}},
            {"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
                {"name":"item","type":"long"},{"name":"order","type":["null","Order"]}]}}},
            {"name":"place","type":["null",{"type":"record","name":"Place","fields":[{"name":"lat","type":"double"}]}]}]}"#;
        let schema = Schema::parse(text, &[]).expect("a schema");
        let found = serde_json::to_string(&schema.value_schema()).expect("JSON");
        expect![[r#"{"type":"object","properties":{"id":{"type":"string"},"total":{"type":"number","multipleOf":0.01},"at":{"type":"string","format":"date-time"},"day":{"type":"string","format":"date"},"note":{"type":"string"},"lines":{"type":"array","items":{"type":"object","properties":{"item":{"type":"integer"}}}},"place":{"type":"object","properties":{"lat":{"type":"number","multipleOf":1e-9}}}}}"#]].assert_eq(&found);
        let doubled: String = (1..40)
            .map(|n| format!(r#"{{"type":"record","name":"T{n}","fields":[{{"name":"a","type":"T{0}"}},{{"name":"b","type":"T{0}"}}]}},"#, n - 1))
            .collect();
        let doubled = format!(
            r#"[{{"type":"record","name":"T0","fields":[{{"name":"x","type":"int"}}]}},{doubled}"null"]"#
        );
        Schema::parse(&doubled, &[]).expect("a union").value_schema();
        assert_eq!(Schema::parse(r#""string""#, &[]).expect("a schema").value_schema(), None);
    }
}
