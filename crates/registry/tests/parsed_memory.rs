//! The memory of schemas that were read: alone in its process, whose memory it looks at.

#[path = "it/support.rs"]
#[allow(dead_code, reason = "the other tests need more of it")]
mod support;

use factum_registry::{NewSchema, SchemaType, VersionFilter, VersionSelector};
use support::{Log, registered, subject};

/// Schemas of a hundred kilobytes, each of which takes six megabytes of memory.
const SCHEMAS: usize = 60;

fn messages(n: usize) -> NewSchema {
    let messages: String = (0..6_000).map(|at| format!("message M{at}{{}}")).collect();
    let text = format!("syntax=\"proto3\";message X{n}{{}}{messages}");
    NewSchema { schema_type: SchemaType::Protobuf, text, ..NewSchema::default() }
}

/// Bytes of memory that this process has.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("a number") * 4096
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn schemas_that_were_read_take_some_tens_of_megabytes() {
    let log = Log::open();
    let registry = log.registry().await;
    let level = [("compatibilityLevel".to_owned(), serde_json::json!("NONE"))].into_iter().collect();
    registry.set_config(None, level).await.expect("set");
    registered(&registry, "s", messages(SCHEMAS)).await;
    let before = resident();
    for n in 0..SCHEMAS {
        registry.check(&subject("t"), &messages(n), None).expect("checked");
    }
    let checked = resident().saturating_sub(before);
    assert!(checked < 48 << 20, "checks alone left {} MiB", checked >> 20);
    for n in 0..SCHEMAS {
        registered(&registry, "s", messages(n)).await;
    }
    for n in 1..=i32::try_from(SCHEMAS).expect("few") {
        let version = registry.version(&subject("s"), VersionSelector::Number(n), VersionFilter::Live);
        registry.parsed(&version.expect("registered")).expect("read");
    }
    let kept = resident().saturating_sub(before);
    assert!(kept < 160 << 20, "registered schemas take {} MiB", kept >> 20);
}
