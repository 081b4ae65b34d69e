//! SQL as strangers write it, over a shop with a topic, a table and a view; and events of the shop's contract.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_sql::{Definitions, EventDefinition, PipelineDefinition, RelationName, TableDefinition, decoders};
use factum_types::{Offset, Record, Timestamp, TopicName};

const CONTRACT: &str = r#"{"type": "object", "required": ["id"], "properties": {
    "id": {"type": "integer"}, "customer": {"type": "string"}, "total": {"type": "number", "multipleOf": 0.01},
    "weight": {"type": "number"}, "paid": {"type": "boolean"}, "at": {"type": "string", "format": "date-time"},
    "day": {"type": "string", "format": "date"}, "tags": {"type": "array", "items": {"type": "string"}},
    "address": {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}},
    "lines": {"type": "array", "items": {"type": "object", "properties": {
        "product": {"type": "integer"}, "pieces": {"type": "integer"}}}}}}"#;

fn orders() -> EventDefinition {
    EventDefinition {
        topic: TopicName::new("store.orders").expect("a name"),
        schema: Some(Arc::new(serde_json::from_str(CONTRACT).expect("JSON"))),
        time: Some("at".to_owned()),
        lateness: Duration::from_secs(10),
    }
}

fn shop(view: &str) -> Definitions {
    let products = TableDefinition {
        name: RelationName::new("store", "products"),
        key: "product_id".to_owned(),
        origin: "products.csv".into(),
        csv: "product_id,title\n1,Alien\n2,Brazil\n".into(),
    };
    let pipeline = PipelineDefinition {
        team: "store".parse().expect("a team"),
        file: "views.sql".into(),
        text: view.into(),
    };
    Definitions { events: vec![orders()], tables: vec![products], pipelines: vec![pipeline] }
}

/// `q` and a query, or `v` and the statements of a team.
pub(crate) fn text(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    if kind % 2 == 1 {
        let view =
            "CREATE MATERIALIZED VIEW best AS SELECT customer, count(*) AS n FROM orders GROUP BY customer";
        decoders::plan_query(&shop(view), &text);
    } else if let Err(problems) = decoders::plan_views(&shop(&text)) {
        problems.iter().for_each(|problem| drop(problem.to_string()));
    }
}

/// Values of records, one a line.
pub(crate) fn event_data(bytes: &[u8]) {
    let records: Vec<_> = bytes.split(|byte| *byte == b'\n').zip(0..).map(record).collect();
    decoders::decode(&orders(), &records);
}

fn record((value, offset): (&[u8], i64)) -> Record {
    let value = Bytes::copy_from_slice(value);
    let (offset, timestamp) = (Offset::new(offset), Timestamp::from_millis(1_700_000_000_000));
    Record { offset, timestamp, key: None, value: Some(value), headers: Vec::new() }
}
