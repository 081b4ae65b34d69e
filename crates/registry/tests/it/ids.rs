//! Ids and versions.

use factum_registry::{Guid, LookUpError, NewSchema, VersionFilter, VersionSelector};

use crate::support::{Log, avro, record, register, registered, subject};

#[tokio::test]
async fn a_schema_has_one_id_in_all_subjects_of_a_context() {
    let log = Log::open();
    let registry = log.registry().await;
    assert_eq!(registered(&registry, "a", avro(r#""string""#)).await, (1, 1));
    assert_eq!(
        registered(&registry, "a", avro(r#"{"type": "string"}"#)).await,
        (1, 1),
        "the same in another form"
    );
    assert_eq!(registered(&registry, "b", record(&["x"])).await, (1, 2));
    assert_eq!(registered(&registry, "b", record(&["x", "y?"])).await, (2, 3));
    assert_eq!(registered(&registry, "c", avro(r#""string""#)).await, (1, 1));
    assert_eq!(registered(&registry, ":.other:a", record(&["x"])).await, (1, 1), "ids are a context's own");

    let uses = registry.uses(1, None, VersionFilter::Live).expect("known");
    let uses: Vec<_> = uses.iter().map(|found| found.subject.to_string()).collect();
    assert_eq!(uses, ["a", "c"]);
    let guid: Guid = registry.by_id(2, None).expect("known").guid();
    assert_eq!(registry.ids_of(guid), [(".".to_owned(), 2), (".other".to_owned(), 1)]);
}

#[tokio::test]
async fn a_schema_is_found_by_its_text_and_its_version() {
    let log = Log::open();
    let registry = log.registry().await;
    registered(&registry, "a", record(&["x"])).await;
    registered(&registry, "a", record(&["x", "y?"])).await;
    let find =
        |new: &NewSchema| registry.find(&subject("a"), new, VersionFilter::Live).map(|found| found.version);
    assert_eq!(find(&record(&["x"])), Ok(1));
    assert_eq!(find(&record(&["x", "y?"])), Ok(2));
    assert_eq!(find(&record(&["z"])), Err(LookUpError::NotRegistered));
    let get = |of: &str, version| {
        registry.version(&subject(of), version, VersionFilter::Live).map(|found| found.id())
    };
    assert_eq!(get("a", VersionSelector::Latest), Ok(2));
    assert_eq!(get("a", VersionSelector::Number(1)), Ok(1));
    assert_eq!(get("a", VersionSelector::Number(3)), Err(LookUpError::UnknownVersion { version: 3 }));
    assert_eq!(get("b", VersionSelector::Latest), Err(LookUpError::UnknownSubject { subject: subject("b") }));
}

#[tokio::test]
async fn two_registrations_at_once_are_two_versions() {
    let log = Log::open();
    let registry = log.registry().await;
    let fields = [["a?"], ["b?"], ["c?"], ["d?"], ["e?"], ["f?"], ["g?"], ["h?"]];
    let all = fields.iter().map(|fields| {
        let registry = registry.clone();
        async move { registered(&registry, "s", record(fields)).await }
    });
    let mut versions = futures::future::join_all(all).await;
    versions.sort_unstable();
    let expected: Vec<_> = (1..=8).map(|n| (n, n)).collect();
    assert_eq!(versions, expected);
}

#[tokio::test]
async fn the_id_of_a_schema_that_is_gone_is_not_given_again() {
    let log = Log::open();
    let registry = log.registry().await;
    registered(&registry, "a", record(&["x"])).await;
    registered(&registry, "b", record(&["y"])).await;
    for permanent in [false, true] {
        registry.delete_subject(&subject("b"), permanent).await.expect("deleted");
    }
    assert!(registry.by_id(2, None).is_err());
    let again = log.registry().await;
    assert_eq!(registered(&again, "c", record(&["z"])).await, (1, 3));
}

#[tokio::test]
async fn text_that_is_no_schema_is_refused_with_its_place() {
    let log = Log::open();
    let registry = log.registry().await;
    let broken = r#"{"type":"record","name":"R","fields":[{"name":"x","type":"strin"}]}"#;
    let error = register(&registry, "a", avro(broken)).await.expect_err("no such type").to_string();
    assert!(error.contains("/fields/0/type"), "{error}");
    let error = register(&registry, "a", avro("")).await.expect_err("nothing").to_string();
    assert_eq!(error, "Empty schema");
}
