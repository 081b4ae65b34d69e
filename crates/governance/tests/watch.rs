//! A folder that is edited while it is watched.

mod support;

use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::Stop;
use factum_eventlog::Admin;
use factum_governance::watch::{Handle, Options, Outcome, Service, apply_once};
use factum_governance::{Catalogue, scaffold};
use factum_types::TopicName;
use support::memory_log::MemoryLog;
use support::write_files;

const PATIENCE: Duration = Duration::from_secs(20);

async fn next(handle: &mut Handle) -> Arc<Outcome> {
    tokio::time::timeout(PATIENCE, handle.next())
        .await
        .expect("an outcome in time")
        .expect("the service runs")
}

async fn edits_are_applied(options: Options) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    scaffold::init(folder.path()).expect("an empty folder takes a project");
    let (log, catalogue) = (Arc::new(MemoryLog::default()), Catalogue::new());
    apply_once(folder.path(), &*log, &catalogue, &()).await.expect("the scaffold applies");
    let root = Some(folder.path().to_owned());
    let (service, mut handle) = Service::new(root, log.clone(), catalogue.clone(), Arc::new(()), options);
    let stop = Stop::new();
    let script = async {
        write_files(folder.path(), "=== teams/store/events/carts.yaml\nsummary: A cart was left.\n");
        let carts = TopicName::new("store.carts").expect("valid");
        while !matches!(&*next(&mut handle).await, Outcome::Applied { .. }) {}
        while catalogue.event(&carts).is_none() {
            next(&mut handle).await;
        }
        assert!(log.topic(&carts).await.is_ok());

        write_files(folder.path(), "=== teams/store/events/carts.yaml\nsumary: A cart was left.\n");
        let has_error =
            |outcome: &Outcome| matches!(outcome, Outcome::Applied { problems, .. } if !problems.is_empty());
        while !has_error(&*next(&mut handle).await) {}
        assert_eq!(
            catalogue.event(&carts).and_then(|event| event.summary.clone()).as_deref(),
            Some("A cart was left.")
        );
        assert_eq!(catalogue.problems()[0].to_string(), "there is no field `sumary`");

        write_files(folder.path(), "=== teams/store/events/carts.yaml\nsummary: Left behind.\n");
        while !matches!(&*next(&mut handle).await, Outcome::Applied { plan, .. } if !plan.is_empty()) {}
        assert!(catalogue.problems().is_empty());
        stop.request();
    };
    let (ran, ()) = tokio::join!(service.run(stop.clone()), script);
    ran.expect("the service stops in order");
}

#[tokio::test]
async fn edits_are_applied_on_notice() {
    edits_are_applied(Options { debounce: Duration::from_millis(30), ..Options::default() }).await;
}

#[tokio::test]
async fn edits_are_applied_by_looking() {
    let poll = Duration::from_millis(50);
    edits_are_applied(Options { debounce: Duration::from_millis(30), poll, always_poll: true }).await;
}

#[tokio::test]
async fn the_scaffold_is_valid_and_overwrites_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = folder.path().join("My Shop");
    scaffold::init(&project).expect("a new folder takes a project");
    let loaded = factum_governance::project::load(&project).expect("the scaffold loads");
    assert_eq!(loaded.name, "my-shop");
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let refused = scaffold::init(&project).expect_err("a second time is refused");
    assert!(matches!(refused, scaffold::InitError::Exists { .. } | scaffold::InitError::NotEmpty { .. }));
}
