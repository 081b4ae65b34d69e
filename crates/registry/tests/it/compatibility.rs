//! Compatibility levels.

use factum_base::tasks::Stop;
use factum_registry::{
    CheckError, NewSchema, RegisterError, Registry, SchemaType, VersionSelector, WorkError,
};
use serde_json::{Map, json};

use crate::support::{Log, avro, record, register, registered, subject};

/// Whether a reader of the first field list can read the second, and the other way round, as each level asks for.
#[tokio::test]
async fn each_level_asks_for_what_it_says() {
    let added = (&["x"][..], &["x", "y"][..]);
    let removed = (&["x", "y"][..], &["x"][..]);
    let optional = (&["x"][..], &["x", "y?"][..]);
    for (level, outcomes) in [
        ("NONE", [true, true, true]),
        ("BACKWARD", [false, true, true]),
        ("FORWARD", [true, false, true]),
        ("FULL", [false, false, true]),
    ] {
        for ((old, new), is_compatible) in [added, removed, optional].into_iter().zip(outcomes) {
            let log = Log::open();
            let registry = log.registry().await;
            let settings = Map::from_iter([("compatibilityLevel".to_owned(), json!(level))]);
            registry.set_config(None, settings).await.expect("set");
            registered(&registry, "s", record(old)).await;
            let verdicts = registry.check(&subject("s"), &record(new), None).expect("checked");
            assert_eq!(verdicts.is_empty(), is_compatible, "{level} {old:?} {new:?}");
            let registered = register(&registry, "s", record(new)).await;
            assert_eq!(registered.is_ok(), is_compatible, "{level} {old:?} {new:?}");
        }
    }
}

#[tokio::test]
async fn transitive_levels_count_every_version() {
    let log = Log::open();
    let registry = log.registry().await;
    let names = [&["x"][..], &["x", "y?"], &["x", "y"]];
    registered(&registry, "s", record(names[0])).await;
    registered(&registry, "s", record(names[1])).await;
    let check = || registry.check(&subject("s"), &record(names[2]), None).expect("checked");
    assert!(check().is_empty(), "it reads the latest, which always writes y");
    let settings = Map::from_iter([("compatibilityLevel".to_owned(), json!("BACKWARD_TRANSITIVE"))]);
    registry.set_config(Some(&subject("s")), settings).await.expect("set");
    let verdicts = check();
    let versions: Vec<_> = verdicts.iter().map(|verdict| verdict.version.version).collect();
    assert_eq!(versions, [1], "version 1 never writes y");
    let against = registry.check(&subject("s"), &record(names[2]), Some(VersionSelector::Number(2)));
    assert!(against.expect("checked").is_empty());
}

#[tokio::test]
async fn a_refusal_names_the_version_and_every_reason() {
    let log = Log::open();
    let registry = log.registry().await;
    registered(&registry, "s", record(&["x"])).await;
    let Err(RegisterError::Incompatible { verdicts, .. }) =
        register(&registry, "s", record(&["x", "y", "z"])).await
    else {
        panic!("it is incompatible")
    };
    let reasons: Vec<_> = verdicts
        .iter()
        .flat_map(|verdict| &verdict.incompatibilities)
        .map(|reason| (reason.kind, reason.path.as_str()))
        .collect();
    let kind = "READER_FIELD_MISSING_DEFAULT_VALUE";
    assert_eq!(reasons, [(kind, "/fields/1"), (kind, "/fields/2")]);
}

#[tokio::test]
async fn deleted_versions_do_not_count() {
    let log = Log::open();
    let registry = log.registry().await;
    registered(&registry, "s", avro(r#""string""#)).await;
    assert!(register(&registry, "s", avro(r#""int""#)).await.is_err());
    registry.delete_version(&subject("s"), VersionSelector::Latest, false).await.expect("deleted");
    assert_eq!(registered(&registry, "s", avro(r#""int""#)).await, (2, 2));
}

fn alternatives(title: &str, kind: &str) -> NewSchema {
    let each = |n| json!({"type": "object", "properties": {format!("a{n}"): {"type": kind}}, "required": [format!("a{n}")]});
    let all: Vec<_> = (0..200).map(each).collect();
    let text = json!({"title": title, "anyOf": all}).to_string();
    NewSchema { schema_type: SchemaType::Json, text, ..NewSchema::default() }
}

#[tokio::test]
async fn all_versions_of_a_check_share_one_limit() {
    let log = Log::open();
    let registry = log.registry().await;
    let level = |level: &str| Map::from_iter([("compatibilityLevel".to_owned(), json!(level))]);
    registry.set_config(None, level("NONE")).await.expect("set");
    for n in 0..60 {
        registered(&registry, "s", alternatives(&n.to_string(), "string")).await;
    }
    registry.set_config(None, level("FULL")).await.expect("set");
    let new = alternatives("new", "integer");
    let verdicts = registry.check(&subject("s"), &new, None).expect("one version is compared");
    assert_eq!(verdicts.len(), 1);
    registry.set_config(None, level("FULL_TRANSITIVE")).await.expect("set");
    let error = registry.check(&subject("s"), &new, None).expect_err("too complex").to_string();
    assert!(error.starts_with("too complex") && error.contains("more than 4000000 steps"), "{error}");
    let error = register(&registry, "s", new).await.expect_err("too complex").to_string();
    assert!(error.starts_with("too complex"), "{error}");
}

#[tokio::test]
async fn a_comparison_ends_when_no_one_waits_for_it() {
    let log = Log::open();
    let registry = log.registry().await;
    registered(&registry, "s", alternatives("old", "string")).await;
    let stop = Stop::new();
    let until = registry.until(stop.clone());
    let check = |registry: &Registry| registry.check(&subject("s"), &alternatives("new", "string"), None);
    check(&until).expect("no one has stopped it");
    stop.request();
    assert_eq!(check(&until).expect_err("stopped"), CheckError::Work(WorkError::Stopped));
    check(&registry).expect("the stop is that handle's");
}
