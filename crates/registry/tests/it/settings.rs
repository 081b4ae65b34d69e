//! Settings and modes, and the scopes that they hold for.

use bytes::Bytes;
use factum_eventlog::{EventLog, NewRecord};
use factum_registry::{CompatibilityLevel, Mode, NewSchema, RegisterError, SettingsError, TOPIC};
use factum_types::TopicName;
use serde_json::{Map, Value, json};

use crate::support::{Log, avro, record, register, registered, subject};

fn settings(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}

#[tokio::test]
async fn the_narrowest_scope_decides() {
    let log = Log::open();
    let registry = log.registry().await;
    let level = |of: &str| registry.config_in_effect(&subject(of)).level();
    assert_eq!(level("s"), CompatibilityLevel::Backward, "the default");
    for (scope, value) in [(None, "FULL"), (Some(":.x:"), "FORWARD"), (Some("s"), "NONE")] {
        let scope = scope.map(subject);
        registry.set_config(scope.as_ref(), settings("compatibilityLevel", json!(value))).await.expect("set");
    }
    assert_eq!(level("s"), CompatibilityLevel::None);
    assert_eq!(level("t"), CompatibilityLevel::Full);
    assert_eq!(level(":.x:t"), CompatibilityLevel::Forward);
    assert_eq!(
        level(":.y:t"),
        CompatibilityLevel::Backward,
        "what is set without a context is the default context's"
    );
    registry
        .set_config(Some(&subject("s")), settings("compatibilityLevel", Value::Null))
        .await
        .expect("taken away");
    assert_eq!(level("s"), CompatibilityLevel::Full);
    registry.delete_config(Some(&subject("s"))).await.expect("deleted");
    let missing = registry.delete_config(Some(&subject("s"))).await;
    assert!(matches!(missing, Err(SettingsError::NotSet { .. })), "{missing:?}");
    let wrong = registry.set_config(None, settings("compatibilityLevel", json!("SIDEWARD"))).await;
    assert!(matches!(wrong, Err(SettingsError::Invalid { .. })), "{wrong:?}");
}

#[tokio::test]
async fn modes_say_who_gives_ids_and_whether_anything_changes() {
    let log = Log::open();
    let registry = log.registry().await;
    let with_id =
        |id, version, fields: &[&str]| NewSchema { id: Some(id), version: Some(version), ..record(fields) };
    let refused = register(&registry, "s", with_id(100, 3, &["x"])).await;
    assert!(matches!(refused, Err(RegisterError::Mode { has_id: true, .. })), "{refused:?}");

    registry.set_mode(None, Mode::Import, false).await.expect("there are no subjects");
    assert_eq!(registered(&registry, "s", with_id(100, 3, &["x"])).await, (3, 100));
    assert_eq!(
        registered(&registry, "s", with_id(101, 5, &["y"])).await,
        (5, 101),
        "compatibility is not checked"
    );
    let refused = register(&registry, "t", with_id(100, 1, &["z"])).await;
    assert!(matches!(refused, Err(RegisterError::IdTaken { id: 100, .. })), "{refused:?}");
    let refused = register(&registry, "t", record(&["z"])).await;
    assert!(matches!(refused, Err(RegisterError::Mode { has_id: false, .. })), "{refused:?}");

    registry.set_mode(None, Mode::ReadWrite, false).await.expect("set");
    assert_eq!(
        registered(&registry, "t", record(&["z"])).await,
        (1, 102),
        "ids go on behind those that were given"
    );
    let refused = registry.set_mode(None, Mode::Import, false).await;
    assert!(matches!(refused, Err(SettingsError::HasSubjects)), "{refused:?}");

    registry.set_mode(Some(&subject("t")), Mode::ReadOnly, false).await.expect("set");
    register(&registry, "t", avro(r#""string""#)).await.expect_err("read-only");
    registry.delete_subject(&subject("t"), false).await.expect_err("read-only");
    registered(&registry, "u", avro(r#""string""#)).await;
}

#[tokio::test]
async fn metadata_and_rules_are_those_of_the_version_before_and_of_the_settings() {
    let log = Log::open();
    let registry = log.registry().await;
    let properties = |owner: &str| json!({"properties": {"owner": owner}});
    registry
        .set_config(Some(&subject("s")), settings("defaultMetadata", properties("platform")))
        .await
        .expect("set");
    let first = register(&registry, "s", record(&["x"])).await.expect("registered");
    let owner = |metadata: Option<&factum_registry::Metadata>| {
        metadata.and_then(|metadata| metadata.properties.clone()?.remove("owner"))
    };
    assert_eq!(owner(first.schema().metadata.as_ref()).as_deref(), Some("platform"));
    let metadata = serde_json::from_value(properties("store")).expect("metadata");
    let new = NewSchema { metadata: Some(metadata), ..record(&["x"]) };
    let second =
        register(&registry, "s", new).await.expect("the same text with other metadata is another version");
    assert_eq!((second.version, owner(second.schema().metadata.as_ref()).as_deref()), (2, Some("store")));
    let third = register(&registry, "s", record(&["x", "y?"])).await.expect("registered");
    assert_eq!(owner(third.schema().metadata.as_ref()).as_deref(), Some("store"), "as the version before");
}

/// From a record on the log as from an import: the highest number is never followed by another one.
#[tokio::test]
async fn ids_and_versions_that_are_used_up_are_an_error() {
    let log = Log::open();
    let registry = log.registry().await;
    registry.set_mode(None, Mode::Import, false).await.expect("there are no subjects");
    let with = |id, version| NewSchema { id: Some(id), version: Some(version), ..record(&["x"]) };
    for new in [with(i32::MAX, 1), with(1, i32::MAX)] {
        let error = register(&registry, "s", new).await.expect_err("too high").to_string();
        assert!(error.ends_with("2147483647 is too high: the highest is 2147483646"), "{error}");
    }
    registered(&registry, "s", with(i32::MAX - 1, i32::MAX - 1)).await;
    registered(&registry, ":.other:s", avro(r#""string""#)).await;
    registry.set_mode(None, Mode::ReadWrite, false).await.expect("set");
    for registry in [registry, log.registry().await] {
        let no_id = register(&registry, "t", record(&["y"])).await.expect_err("no id is left");
        assert_eq!(no_id.to_string(), "no id is left in context .: the highest is 2147483646");
        let no_version =
            register(&registry, "s", record(&["x", "y?"])).await.expect_err("no version is left");
        assert_eq!(no_version.to_string(), "no version is left in subject s: the highest is 2147483646");
        register(&registry, ":.other:t", record(&["y"])).await.expect("another context has its own ids");
    }
}

#[tokio::test]
async fn metadata_rules_and_settings_have_limits() {
    let log = Log::open();
    let registry = log.registry().await;
    let properties = |bytes: usize| json!({"properties": {"p": "y".repeat(bytes)}});
    let large = settings("defaultMetadata", properties(70_000));
    let error = registry.set_config(Some(&subject("s")), large).await.expect_err("too large").to_string();
    assert_eq!(error, "settings too large: 70043 bytes, at most 65536 are possible");
    let with = |bytes| NewSchema {
        metadata: Some(serde_json::from_value(properties(bytes)).expect("metadata")),
        ..record(&["x"])
    };
    let error = register(&registry, "s", with(70_000)).await.expect_err("too large").to_string();
    assert_eq!(error, "metadata and rules too large: 70023 bytes, at most 65536 are possible");
    register(&registry, "s", with(40_000)).await.expect("small enough");

    let own = json!({"properties": {"q": "y".repeat(40_000)}});
    registry.set_config(Some(&subject("t")), settings("overrideMetadata", own)).await.expect("small enough");
    let error = register(&registry, "t", with(40_000)).await.expect_err("too large").to_string();
    assert!(error.starts_with("metadata and rules too large: 800"), "what settings add counts: {error}");
}

#[tokio::test]
async fn settings_of_subjects_that_are_not_there_have_a_limit() {
    let log = Log::open();
    let registry = log.registry().await;
    registered(&registry, "there", record(&["x"])).await;
    let topic = TopicName::new(TOPIC).expect("a name");
    let records = (0..10_000).map(|n| {
        let key = format!(r#"{{"keytype":"CONFIG","subject":"s{n}","magic":0}}"#);
        let value = format!(r#"{{"subject":"s{n}","compatibilityLevel":"FULL"}}"#);
        let (key, value) = (Some(Bytes::from(key)), Some(Bytes::from(value)));
        NewRecord { partition: Some(0), key, value, ..NewRecord::default() }
    });
    log.broker.internal_log().produce(&topic, records.collect()).await.expect("appended");
    let registry = log.registry().await;
    let full = || settings("compatibilityLevel", json!("FULL"));
    let error = registry.set_config(Some(&subject("new")), full()).await.expect_err("one more").to_string();
    assert_eq!(error, "too many settings and modes of subjects that are not there: the limit is 10000");
    registry.set_mode(Some(&subject("new")), Mode::ReadOnly, false).await.expect_err("one more");
    registry.set_config(Some(&subject("there")), full()).await.expect("it is there");
    registry.set_config(Some(&subject("s7")), full()).await.expect("it has settings");
    registry.set_config(None, full()).await.expect("all subjects");
    registry.delete_config(Some(&subject("s7"))).await.expect("deleted");
    registry.set_config(Some(&subject("new")), full()).await.expect("there is room again");
}
