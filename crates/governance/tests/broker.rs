//! Applied to the embedded log, on disk, across a restart.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use factum_base::clock::SystemClock;
use factum_base::random::Random;
use factum_base::tasks::{OnError, TaskTree};
use factum_broker::{Broker, Service};
use factum_eventlog::Admin;
use factum_governance::{Catalogue, Plan, project, scaffold};
use factum_types::TopicName;

/// Runs `work` on a broker with its data in `folder`, and stops it in order.
async fn with_broker<F: Future>(folder: &Path, work: impl FnOnce(Broker) -> F) -> F::Output {
    let options = factum_broker::Options { data_dir: folder.to_owned(), ..Default::default() };
    let (service, broker) =
        Service::open_local(options, Arc::new(SystemClock), Random::system()).expect("the log opens");
    let tasks = TaskTree::new().child("broker");
    tasks.spawn("log", OnError::Log, service.run(tasks.stop(), tasks.clone()));
    let result = work(broker).await;
    assert!(tasks.stop_within(Duration::from_secs(20)).await.is_empty());
    result
}

#[tokio::test(flavor = "multi_thread")]
async fn applied_definitions_survive_a_restart() {
    let (project, data) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    scaffold::init(project.path()).expect("an empty folder takes a project");
    let project = project::load(project.path()).expect("the scaffold loads");
    let orders = TopicName::new("store.orders").expect("valid");

    with_broker(data.path(), async |broker| {
        let plan = Plan::between(&project, &broker).await.expect("the project can be planned");
        let applied = plan.apply(&broker.internal_log()).await.expect("the plan applies");
        assert_eq!(applied.created, std::slice::from_ref(&orders));
        assert!(Plan::between(&project, &broker).await.expect("the project can be planned").is_empty());
    })
    .await;

    with_broker(data.path(), async |broker| {
        assert!(Plan::between(&project, &broker).await.expect("the project can be planned").is_empty());
        let topic = Admin::topic(&broker, &orders).await.expect("the topic is there");
        assert_eq!(topic.partitions.len(), 4);
        assert_eq!(topic.config.retention, Some(Duration::from_secs(30 * 86_400)));
        let catalogue = Catalogue::load(&broker).await.expect("the catalogue loads");
        assert_eq!(catalogue.event(&orders).expect("the event is there").key.as_deref(), Some("email"));
    })
    .await;
}
