//! Views that read a topic, with the fields that they need, and what another contract does to them.

use std::fmt::Write as _;

use expect_test::expect;
use factum_sql::field_changes;
use factum_types::TopicName;
use serde_json::json;

use crate::world::{World, orders_schema, small};

fn readers(world: &World, topic: &str) -> String {
    let topic = TopicName::new(topic).expect("a name");
    let mut shown = String::new();
    for reader in world.engine().readers(&topic) {
        let through: Vec<_> = reader.through.iter().map(ToString::to_string).collect();
        let kind = if reader.is_materialized { "kept" } else { "plain" };
        let fields = reader.fields.join(", ");
        writeln!(shown, "{} {kind}: {fields} through [{}]", reader.view, through.join(", ")).expect("text");
    }
    shown
}

#[test]
fn readers_of_a_topic_are_views_over_it_with_the_fields_that_they_need() {
    let mut world = World::new(small()).with_orders(1);
    world.topic("store.returns", 1);
    world.event("store.returns", None, None, std::time::Duration::ZERO);
    world.apply(
        "CREATE MATERIALIZED VIEW spent AS SELECT customer, sum(total) AS spent FROM orders GROUP BY customer;
         CREATE MATERIALIZED VIEW best AS SELECT customer FROM spent WHERE spent > 10;
         CREATE VIEW first AS SELECT customer FROM best LIMIT 1;
         CREATE VIEW items AS SELECT o.order_id, d.product_id FROM orders AS o, UNNEST(o.details) AS d;
         CREATE MATERIALIZED VIEW sold AS SELECT product_id, count(*) AS n FROM items GROUP BY product_id;
         CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM orders;
         CREATE MATERIALIZED VIEW late AS SELECT count(*) AS n FROM returns WHERE reason = 'late';",
    );
    expect![[r#"
        store.best kept: customer, order_date, total through [store.spent]
        store.counted kept: order_date through []
        store.first plain: customer, order_date, total through [store.spent, store.best]
        store.items plain: order_id, order_date, details through []
        store.sold kept: order_date, details through []
        store.spent kept: customer, order_date, total through []
    "#]]
    .assert_eq(&readers(&world, "store.orders"));
    expect![[r#"
        store.late kept:  through []
    "#]]
    .assert_eq(&readers(&world, "store.returns"));
    assert_eq!(readers(&world, "store.nothing"), "");
}

#[test]
fn a_field_that_is_removed_or_has_another_type_is_a_change() {
    let topic = TopicName::new("store.orders").expect("a name");
    let after = json!({"properties": {"order_id": {"type": "string"}, "order_date": {"type": "string"},
        "total": {"type": "number", "multipleOf": 0.01}, "note": {"type": "string"},
        "details": {"type": "array", "items": {"properties": {"product_id": {"type": "integer"}}}}}});
    let fields = ["order_id", "customer", "order_date", "total", "details", "note"].map(str::to_owned);
    let changes = field_changes(&topic, &orders_schema(), &after, &fields);
    let shown: String =
        changes.iter().map(|change| format!("{}: {:?}\n", change.field, change.kind)).collect();
    expect![[r#"
        order_id: Type { before: "bigint", after: "text" }
        customer: Removed
        order_date: Type { before: "timestamp", after: "text" }
        details[].quantity: Removed
    "#]]
    .assert_eq(&shown);
    assert!(field_changes(&topic, &orders_schema(), &orders_schema(), &fields).is_empty());
    let unreadable = json!({"properties": {"total": {"type": ["number", "string"]}}});
    let changes = field_changes(&topic, &orders_schema(), &unreadable, &["total".to_owned()]);
    expect![[r#"[FieldChange { field: "total", kind: Unreadable { reason: "store.orders: property total: types number, string at once" } }]"#]].assert_eq(&format!("{changes:?}"));
}
