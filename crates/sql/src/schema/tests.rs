use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use factum_types::{Offset, Record, Timestamp, TopicName};
use serde_json::json;

use super::*;

fn definition(time: Option<&str>) -> EventDefinition {
    EventDefinition {
        topic: TopicName::new("store.orders").expect("valid"),
        schema: None,
        time: time.map(str::to_owned),
        lateness: Duration::ZERO,
    }
}

fn check(schema: Result<EventSchema, SchemaError>, expected: &Expect) {
    let text = match schema {
        Ok(schema) => {
            let data = &schema.schema.fields()[..schema.data_columns()];
            let line =
                |field: &arrow::datatypes::FieldRef| format!("{}: {}\n", field.name(), field.data_type());
            let time = schema.schema.field(schema.time).name().clone();
            data.iter().map(line).collect::<String>() + "time is " + &time
        }
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&text);
}

#[test]
fn a_contract_gives_columns() {
    let contract = json!({"type": "object", "properties": {
        "OrderDate": {"type": "string"},
        "Total": {"type": "number", "multipleOf": 0.01},
        "Rating": {"type": ["number", "null"]},
        "Shipped": {"type": "boolean"},
        "Details": {"type": "array", "items": {"$ref": "#/$defs/detail"}}},
        "$defs": {"detail": {"properties": {"ProductId": {"type": "integer"}}}}});
    check(
        EventSchema::from_contract(&definition(Some("order_date")), &contract),
        &expect![[r#"
            OrderDate: Timestamp(µs, "UTC")
            Total: Decimal128(38, 2)
            Rating: Decimal128(38, 6)
            Shipped: Boolean
            Details: List(Struct("ProductId": Int64))
            time is OrderDate"#]],
    );
}

#[test]
fn a_contract_that_gives_none_is_refused_with_the_place() {
    let contract = json!({"type": "object", "properties": {"Total": {"type": "number"}}});
    check(
        EventSchema::from_contract(&definition(Some("Totl")), &contract),
        &expect![
            "store.orders has no field Totl, which its manifest names as the event time; did you mean Total?"
        ],
    );
    let contract = json!({"properties": {"a": {"properties": {"b": {"type": ["string", "integer"]}}}}});
    check(
        EventSchema::from_contract(&definition(None), &contract),
        &expect!["store.orders: property a.b: types string, integer at once"],
    );
    let contract = json!({"properties": {"a": {"$ref": "#/properties/a"}}});
    check(
        EventSchema::from_contract(&definition(None), &contract),
        &expect!["store.orders: property a: nested deeper than 32"],
    );
}

#[test]
fn samples_give_columns_that_all_of_them_fit() {
    let samples: Vec<_> = [
        r#"{"id": 1, "at": "2026-01-31T12:00:00Z", "price": 3, "tags": [], "mixed": 1}"#,
        r#"{"id": 2, "price": 3.5, "tags": ["a"], "mixed": "x", "late": null}"#,
        "not json",
    ]
    .into_iter()
    .map(|value| Record {
        offset: Offset::ZERO,
        timestamp: Timestamp::NONE,
        key: None,
        value: Some(Bytes::from_static(value.as_bytes())),
        headers: Vec::new(),
    })
    .collect();
    check(
        EventSchema::infer(&definition(None), &samples),
        &expect![[r#"
            id: Int64
            at: Timestamp(µs, "UTC")
            price: Decimal128(38, 6)
            tags: List(Utf8)
            mixed: Utf8
            late: Utf8
            time is _time"#]],
    );
}
