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
