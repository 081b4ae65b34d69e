//! References between schemas.

use factum_registry::{
    DeleteError, NewSchema, ReferenceError, RegisterError, VersionFilter, VersionSelector,
};

use crate::support::{Log, avro, reference, register, registered, subject};

const MONEY: &str =
    r#"{"type":"record","name":"Money","namespace":"shop","fields":[{"name":"cents","type":"long"}]}"#;

fn order() -> NewSchema {
    let text = r#"{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"total","type":"shop.Money"}]}"#;
    NewSchema { references: vec![reference("shop.Money", "money", 1)], ..avro(text) }
}

#[tokio::test]
async fn a_schema_that_is_referred_to_stays() {
    let log = Log::open();
    let registry = log.registry().await;
    registered(&registry, "money", avro(MONEY)).await;
    registered(&registry, "orders", order()).await;
    let (money, orders) = (subject("money"), subject("orders"));
    let referrers = registry.referenced_by(&money, VersionSelector::Latest, VersionFilter::Live);
    assert_eq!(referrers, Ok(vec![2]));
    for permanent in [false, true] {
        let refused = registry.delete_subject(&money, permanent).await;
        let is_refused = match permanent {
            false => matches!(refused, Err(DeleteError::Referenced { version: 1, .. })),
            true => matches!(refused, Err(DeleteError::SubjectNotDeleted { .. })),
        };
        assert!(is_refused, "{refused:?}");
    }
    registry.delete_subject(&orders, false).await.expect("deleted");
    registry.delete_subject(&money, false).await.expect("no live one refers to it");
    let refused = registry.delete_subject(&money, true).await;
    assert!(
        matches!(refused, Err(DeleteError::Referenced { .. })),
        "a deleted one can come back: {refused:?}"
    );
    registry.delete_subject(&orders, true).await.expect("gone");
    registry.delete_subject(&money, true).await.expect("gone");
}

#[tokio::test]
async fn a_reference_leads_to_a_version_that_is_there() {
    let log = Log::open();
    let registry = log.registry().await;
    let error = register(&registry, "orders", order()).await.expect_err("there is no money");
    assert!(matches!(error, RegisterError::Reference(ReferenceError::Unknown { version: 1, .. })), "{error}");
    registered(&registry, ":.shop:money", avro(MONEY)).await;
    register(&registry, "orders", order()).await.expect_err("it is in another context");
    assert_eq!(registered(&registry, ":.shop:orders", order()).await, (1, 2));
}

#[tokio::test]
async fn references_that_double_at_each_step_are_read_once() {
    let log = Log::open();
    let registry = log.registry().await;
    registered(
        &registry,
        "t0",
        avro(r#"{"type":"record","name":"T0","fields":[{"name":"x","type":"int"}]}"#),
    )
    .await;
    for n in 1..=60 {
        let below = n - 1;
        let text = format!(
            r#"{{"type":"record","name":"T{n}","fields":[{{"name":"a","type":"T{below}"}},{{"name":"b","type":"T{below}"}}]}}"#
        );
        let references = vec![reference(&format!("T{below}"), &format!("t{below}"), 1)];
        let new = NewSchema { references, ..avro(&text) };
        register(&registry, &format!("t{n}"), new).await.unwrap_or_else(|error| panic!("t{n}: {error}"));
    }
}

#[tokio::test]
async fn a_schema_is_read_with_what_its_references_lead_to_now() {
    let log = Log::open();
    let registry = log.registry().await;
    let part = |fields: &str| avro(&format!(r#"{{"type":"record","name":"A","fields":[{fields}]}}"#));
    let text = r#"{"type":"record","name":"C","fields":[{"name":"a","type":"A"}]}"#;
    let whole = || NewSchema { references: vec![reference("A", "a", 1)], ..avro(text) };
    let read = |id: i32, value: &[u8]| {
        let framed = [&[0][..], &id.to_be_bytes(), value].concat();
        let read = registry.decode(&framed, None).expect("it names a schema").expect("it is of it");
        String::from_utf8(read.json).expect("JSON")
    };
    registered(&registry, "a", part(r#"{"name":"x","type":"string"}"#)).await;
    registry.check(&subject("c"), &whole(), None).expect("read");
    let (_, id) = registered(&registry, "c", whole()).await;
    assert_eq!(read(id, &[2, b'1']), r#"{"a":{"x":"1"}}"#);
    for of in ["c", "a"] {
        for permanent in [false, true] {
            registry.delete_subject(&subject(of), permanent).await.expect("deleted");
        }
    }
    let two = r#"{"name":"y","type":"string"},{"name":"z","type":"string"}"#;
    assert_eq!(registered(&registry, "a", part(two)).await.0, 1, "versions begin again");
    let (_, id) = registered(&registry, "c", whole()).await;
    assert_eq!(read(id, &[2, b'1', 2, b'2']), r#"{"a":{"y":"1","z":"2"}}"#);
}
