//! The record of what is applied: how it is read, and that it grows by changes alone.

mod support;

use factum_eventlog::{EventLog, Position};
use factum_governance::watch::apply_once;
use factum_governance::{Catalogue, record};
use factum_types::{Offset, TopicName, TopicPartition};
use support::memory_log::MemoryLog;
use support::{folder, write_files};

const PROJECT: &str = "=== factum.yaml
name: contoso
=== teams/store/team.yaml
contact: '#store'
=== teams/store/events/orders.yaml
key: Email
partitions: 2
retention: 7d
=== teams/store/pipelines/top.sql
SELECT 1
=== teams/store/dashboards/live.yaml
panels: [{ number: orders, view: top }]
";

async fn end(log: &MemoryLog) -> Offset {
    let partition = TopicPartition::new(TopicName::new(record::TOPIC).expect("valid"), 0);
    log.offset_of(&partition, Position::Latest).await.expect("the log answers")
}

#[tokio::test]
async fn a_save_that_changes_nothing_leaves_the_record_as_it_is() {
    let (folder, log, catalogue) = (folder(PROJECT), MemoryLog::default(), Catalogue::new());
    apply_once(folder.path(), &log, &catalogue, &()).await.expect("it applies");
    let (first, writes) = (end(&log).await, log.writes());
    assert_eq!(first, Offset::new(4), "a record for each definition");
    for _ in 0..10 {
        write_files(folder.path(), PROJECT);
        apply_once(folder.path(), &log, &catalogue, &()).await.expect("it applies");
    }
    assert_eq!((end(&log).await, log.writes()), (first, writes));
}

#[tokio::test]
async fn the_record_is_read_once_for_each_save() {
    let (folder, log, catalogue) = (folder(PROJECT), MemoryLog::default(), Catalogue::new());
    apply_once(folder.path(), &log, &catalogue, &()).await.expect("it applies");
    let before = log.records_read();
    write_files(folder.path(), "=== teams/store/pipelines/top.sql\nSELECT 2\n");
    apply_once(folder.path(), &log, &catalogue, &()).await.expect("it applies");
    assert_eq!(log.records_read() - before, 5, "the four records that were there, and the new one");
    let again = Catalogue::load(&log).await.expect("readable");
    assert_eq!(again.project().applied_at, catalogue.project().applied_at);
}
