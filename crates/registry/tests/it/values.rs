//! Values that name a schema.

use bytes::Bytes;
use factum_base::clock::{Clock, SystemClock};
use factum_eventlog::{EventLog, NewRecord};
use factum_registry::{SchemaId, TOPIC};
use factum_types::TopicName;

use crate::support::{Log, avro, registered, subject};

/// The value `"a"` under id 1.
const FRAMED: [u8; 7] = [0, 0, 0, 0, 1, 2, b'a'];

#[tokio::test]
async fn values_of_a_schema_that_many_subjects_have_are_read_as_fast_as_others() {
    let log = Log::open();
    registered(&log.registry().await, "first", avro(r#""string""#)).await;
    let topic = TopicName::new(TOPIC).expect("a name");
    for batch in 0..10 {
        let records = (0..2_000).map(|n| {
            let of = format!("s{batch}-{n}");
            let key = format!(r#"{{"keytype":"SCHEMA","subject":"{of}","version":1,"magic":1}}"#);
            let value = format!(r#"{{"subject":"{of}","version":1,"id":1,"schema":"\"string\""}}"#);
            let (key, value) = (Some(Bytes::from(key)), Some(Bytes::from(value)));
            NewRecord { partition: Some(0), key, value, ..NewRecord::default() }
        });
        log.broker.internal_log().produce(&topic, records.collect()).await.expect("appended");
    }
    let registry = log.registry().await;
    let begin = SystemClock.monotonic();
    let (last, none) = (subject("s9-999"), subject("t"));
    for _ in 0..5_000 {
        assert!(registry.has_schema(&last, SchemaId::Id(1)));
        assert!(!registry.has_schema(&none, SchemaId::Id(1)));
        let read = registry.decode(&FRAMED, None).expect("it names a schema").expect("it is one");
        assert_eq!(read.json, br#""a""#);
    }
    let took = SystemClock.monotonic() - begin;
    assert!(took.as_secs() < 5, "{took:?} for 15,000 looks at 20,000 subjects");
}
