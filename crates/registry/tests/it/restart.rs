//! Registries that are read from the log again.

use bytes::Bytes;
use factum_eventlog::{EventLog, NewRecord};
use factum_registry::{CompatibilityLevel, Mode, NewSchema, SchemaType, TOPIC, VersionSelector};
use factum_types::TopicName;
use proptest::prelude::*;
use serde_json::{Map, json};

use crate::support::{Log, avro, dump, record, reference, register, registered, subject};

/// What a client may do, with a few subjects and schemas.
#[derive(Debug, Clone)]
enum Step {
    Register(usize, usize),
    Refer(usize, usize),
    DeleteVersion(usize, i32, bool),
    DeleteSubject(usize, bool),
    Level(usize, usize),
    Mode(usize, usize),
}

const SUBJECTS: [&str; 4] = ["a", "b", ":.x:a", ":.x:c"];
const MODES: [Mode; 3] = [Mode::ReadWrite, Mode::ReadWrite, Mode::ReadOnly];

fn step() -> impl Strategy<Value = Step> {
    let of = 0..SUBJECTS.len();
    prop_oneof![
        6 => (of.clone(), 0..6_usize).prop_map(|(of, schema)| Step::Register(of, schema)),
        1 => (of.clone(), 0..SUBJECTS.len()).prop_map(|(of, to)| Step::Refer(of, to)),
        3 => (of.clone(), 1..4, any::<bool>()).prop_map(|(of, version, permanent)| Step::DeleteVersion(of, version, permanent)),
        2 => (of.clone(), any::<bool>()).prop_map(|(of, permanent)| Step::DeleteSubject(of, permanent)),
        1 => (of.clone(), 0..CompatibilityLevel::ALL.len()).prop_map(|(of, level)| Step::Level(of, level)),
        1 => (of, 0..MODES.len()).prop_map(|(of, mode)| Step::Mode(of, mode)),
    ]
}

fn schema(n: usize) -> NewSchema {
    match n {
        0 => avro(r#""string""#),
        1 => avro(r#""int""#),
        2 => record(&["x"]),
        3 => record(&["x", "y?"]),
        4 => record(&["x?", "y?"]),
        _ => avro(r#"{"type":"enum","name":"E","symbols":["A","B"]}"#),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Refusals are fine; what was done is there again after a restart, and ids go on where they were.
    #[test]
    fn another_reading_of_the_log_gives_the_same_registry(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async move {
            let log = Log::open();
            let registry = log.registry().await;
            for step in steps {
                let _refused = match step {
                    Step::Register(of, n) => register(&registry, SUBJECTS[of], schema(n)).await.is_err(),
                    Step::Refer(of, to) => {
                        let new = NewSchema { references: vec![reference("E", SUBJECTS[to], 1)], ..avro(r#""E""#) };
                        register(&registry, SUBJECTS[of], new).await.is_err()
                    }
                    Step::DeleteVersion(of, version, permanent) => {
                        registry.delete_version(&subject(SUBJECTS[of]), VersionSelector::Number(version), permanent).await.is_err()
                    }
                    Step::DeleteSubject(of, permanent) => registry.delete_subject(&subject(SUBJECTS[of]), permanent).await.is_err(),
                    Step::Level(of, level) => {
                        let level = json!(CompatibilityLevel::ALL[level].as_str());
                        let settings = Map::from_iter([("compatibilityLevel".to_owned(), level)]);
                        registry.set_config(Some(&subject(SUBJECTS[of])), settings).await.is_err()
                    }
                    Step::Mode(of, mode) => registry.set_mode(Some(&subject(SUBJECTS[of])), MODES[mode], false).await.is_err(),
                };
            }
            let again = log.registry().await;
            assert_eq!(dump(&again), dump(&registry));
            for of in SUBJECTS {
                let of = subject(of);
                assert_eq!(again.last_id(Some(&of)), registry.last_id(Some(&of)), "{of}");
            }
        });
    }
}

#[tokio::test]
async fn an_id_that_is_gone_for_good_is_not_given_again_after_a_restart() {
    let log = Log::open();
    let registry = log.registry().await;
    for of in ["a", ":.x:a"] {
        registered(&registry, of, avro(r#""string""#)).await;
        for permanent in [false, true] {
            registry.delete_subject(&subject(of), permanent).await.expect("deleted");
        }
    }
    let again = log.registry().await;
    for of in ["a", ":.x:a"] {
        assert_eq!(registered(&again, of, avro(r#""int""#)).await, (1, 2), "{of}");
    }
}

#[tokio::test]
async fn definitions_formats_and_ids_of_versions_outlive_a_restart() {
    let log = Log::open();
    let registry = log.registry().await;
    let group = "orders".parse().expect("a name");
    registry
        .create_group(&group, Some(SchemaType::Avro), Some(CompatibilityLevel::None))
        .await
        .expect("created");
    let text = r#"{ "type" : "string" }"#;
    let new = NewSchema { keeps_definition: true, ..avro(text) };
    registered(&registry, ":.orders:a", new.clone()).await;
    registered(&registry, ":.orders:a", NewSchema { text: text.replace(' ', ""), ..new }).await;
    registry
        .delete_version(&subject(":.orders:a"), VersionSelector::Number(1), false)
        .await
        .expect("deleted");
    let again = log.registry().await;
    assert_eq!(again.groups(), registry.groups());
    let versions = |of: &factum_registry::Registry| {
        let found = of.versions(&subject(":.orders:a"), factum_registry::VersionFilter::All).expect("there");
        found
            .iter()
            .map(|found| (found.version, found.version_id(), found.definition().to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(versions(&again), versions(&registry));
    let [(1, id, kept), (2, other, compact)] = &versions(&again)[..] else { panic!("two versions") };
    assert_eq!((kept.as_str(), compact.as_str()), (text, r#"{"type":"string"}"#));
    assert_eq!(again.by_version_id(*id).map(|found| found.version), Ok(1));
    assert_eq!(again.by_version_id(*other).map(|found| found.version), Ok(2));
    let json = NewSchema { schema_type: SchemaType::Json, text: "{}".to_owned(), ..NewSchema::default() };
    register(&again, ":.orders:b", json).await.expect_err("another format");
}

#[tokio::test]
async fn records_that_cannot_be_read_are_passed_over_and_listed() {
    let log = Log::open();
    let registry = log.registry().await;
    registered(&registry, "s", avro(r#""string""#)).await;
    let key = |text: &str| Some(Bytes::copy_from_slice(text.as_bytes()));
    let record = |k: &str, v: &str| NewRecord {
        partition: Some(0),
        key: key(k),
        value: key(v),
        ..NewRecord::default()
    };
    let strange = vec![
        record("no JSON", "{}"),
        record(r#"{"keytype":"SCHEMA","subject":"t","version":1,"magic":1}"#, r#"{"id":"x"}"#),
        record(
            r#"{"keytype":"SCHEMA","subject":"u","version":1,"magic":1}"#,
            r#"{"subject":"u","version":1,"id":1,"schema":"\"int\"","deleted":false}"#,
        ),
        record(
            r#"{"keytype":"SCHEMA","subject":"v","version":1,"magic":1}"#,
            r#"{"subject":"v","version":1,"id":7,"schema":"\"int\"","deleted":false}"#,
        ),
    ];
    let topic = TopicName::new(TOPIC).expect("a name");
    log.broker.internal_log().produce(&topic, strange).await.expect("appended");
    let again = factum_registry::Registry::new(std::sync::Arc::new(log.broker.internal_log()));
    let unreadable = again.read().await.expect("the log answers");
    assert_eq!(unreadable.ranges.len(), 3, "{unreadable}");
    assert!(
        unreadable.to_string().contains("id 1 of version 1 of subject u is that of another schema"),
        "{unreadable}"
    );
    assert_eq!(again.by_id(7, None).expect("what follows is read").subject, subject("v"));
    assert_eq!(registered(&again, "w", avro(r#""long""#)).await, (1, 8));
}

#[tokio::test]
async fn the_highest_numbers_on_the_log_are_followed_by_none() {
    let log = Log::open();
    registered(&log.registry().await, "s", avro(r#""string""#)).await;
    let record = |k: &str, v: &str| NewRecord {
        partition: Some(0),
        key: Some(Bytes::copy_from_slice(k.as_bytes())),
        value: Some(Bytes::copy_from_slice(v.as_bytes())),
        ..NewRecord::default()
    };
    let highest = vec![
        record(
            r#"{"keytype":"SCHEMA","subject":"s","version":2147483647,"magic":1}"#,
            r#"{"subject":"s","version":2147483647,"id":2,"schema":"\"int\""}"#,
        ),
        record(
            r#"{"keytype":"CONTEXT","tenant":"default","context":".x","magic":0}"#,
            r#"{"tenant":"default","context":".x","lastId":2147483647}"#,
        ),
    ];
    let topic = TopicName::new(TOPIC).expect("a name");
    log.broker.internal_log().produce(&topic, highest).await.expect("appended");
    let registry = log.registry().await;
    for (of, reason) in [("s", "no version is left in subject s"), (":.x:t", "no id is left in context .x")] {
        let error = register(&registry, of, avro(r#""long""#)).await.expect_err(reason).to_string();
        assert!(error.starts_with(reason), "{error}");
    }
}
