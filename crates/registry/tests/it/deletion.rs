//! Deleting, and what comes back.

use factum_registry::{DeleteError, VersionFilter, VersionSelector};

use crate::support::{Log, avro, dump, record, registered, subject};

#[tokio::test]
async fn a_deleted_version_comes_back_with_its_id_and_a_new_number() {
    let log = Log::open();
    let registry = log.registry().await;
    registered(&registry, "s", avro(r#""string""#)).await;
    assert_eq!(registry.delete_subject(&subject("s"), false).await.expect("deleted"), [1]);
    assert!(registry.subjects("", VersionFilter::Live).is_empty());
    assert_eq!(registry.subjects("", VersionFilter::Deleted), [subject("s")]);
    assert_eq!(registry.by_id(1, None).expect("what was written stays readable").version, 1);
    assert_eq!(registered(&registry, "s", avro(r#""string""#)).await, (2, 1));
}

#[tokio::test]
async fn a_version_is_deleted_before_it_is_deleted_for_good() {
    let log = Log::open();
    let registry = log.registry().await;
    registered(&registry, "s", record(&["x"])).await;
    registered(&registry, "s", record(&["x", "y?"])).await;
    let (s, one) = (subject("s"), VersionSelector::Number(1));
    let refused = registry.delete_version(&s, one, true).await;
    assert!(matches!(refused, Err(DeleteError::VersionNotDeleted { version: 1, .. })), "{refused:?}");
    assert_eq!(registry.delete_version(&s, one, false).await.expect("deleted"), 1);
    let refused = registry.delete_version(&s, one, false).await;
    assert!(matches!(refused, Err(DeleteError::VersionDeleted { version: 1, .. })), "{refused:?}");
    assert_eq!(registry.delete_version(&s, one, true).await.expect("gone"), 1);
    let refused = registry.delete_version(&s, one, true).await;
    assert!(matches!(refused, Err(DeleteError::UnknownVersion { version: 1 })), "{refused:?}");
    let refused = registry.delete_subject(&s, true).await;
    assert!(matches!(refused, Err(DeleteError::SubjectNotDeleted { .. })), "{refused:?}");
    let refused = registry.delete_subject(&subject("t"), false).await;
    assert!(matches!(refused, Err(DeleteError::UnknownSubject { .. })), "{refused:?}");
    assert_eq!(dump(&registry), dump(&log.registry().await));
}
