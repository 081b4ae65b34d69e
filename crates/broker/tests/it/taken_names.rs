//! Names that something else has: no client makes a topic of them.

use factum_broker::{CreateTopicError, EnsureTopicError, NameRegistry};
use factum_eventlog::{Admin, AdminError, EventLog, ProduceError};
use factum_types::TopicName;

use crate::support::{fresh, name, new_topic, record};

/// Knows one view.
struct OneView;

impl NameRegistry for OneView {
    fn owner(&self, name: &TopicName) -> Option<String> {
        (name.as_str() == "store.totals").then(|| "a view".to_owned())
    }
}

#[tokio::test]
async fn no_client_makes_a_topic_of_a_name_that_is_taken() {
    let (_dir, running) = fresh();
    let (broker, taken) = (&running.broker, name("store.totals"));
    broker.create_topic(new_topic("store.totals", 1)).await.expect("free without a registry");
    broker.delete_topic(&taken).await.expect("deleted");
    broker.share_names(OneView);

    let created = broker.create_topic(new_topic("store.totals", 1)).await.expect_err("taken");
    assert!(matches!(created, CreateTopicError::NameTaken { .. }), "{created}");
    let rehearsed = broker.validate_topic(&new_topic("store.totals", 1)).expect_err("taken");
    assert!(matches!(rehearsed, CreateTopicError::NameTaken { .. }), "{rehearsed}");
    let used = broker.ensure_topic(&taken, true).await.expect_err("taken");
    assert!(matches!(used, EnsureTopicError::Create(CreateTopicError::NameTaken { .. })), "{used}");
    let administered = Admin::create_topic(broker, new_topic("store.totals", 1)).await.expect_err("taken");
    assert!(matches!(administered, AdminError::NameTaken { .. }), "{administered}");
    let produced = broker.produce(&taken, vec![record("lost")]).await.expect_err("taken");
    assert!(matches!(produced, ProduceError::UnknownTopic { .. }), "{produced}");
    assert!(broker.topic("store.totals").is_none());

    broker.create_topic(new_topic("store.total", 1)).await.expect("another name");
    // A project's plan has compared the names already: its view of this name is about to go.
    let internal = broker.internal_log();
    Admin::create_topic(&internal, new_topic("store.totals", 1)).await.expect("the server makes it");
    running.stop().await;
}
