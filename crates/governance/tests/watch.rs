//! A folder that is edited while it is watched.

mod support;

use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::Stop;
use factum_eventlog::Admin;
use factum_governance::watch::{Handle, Options, Outcome, Service, apply_once};
use factum_governance::{Catalogue, scaffold};
use factum_testkit::HungMount;
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

fn quick() -> Options {
    Options { debounce: Duration::from_millis(30), ..Options::default() }
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
    edits_are_applied(quick()).await;
}

#[tokio::test]
async fn edits_are_applied_by_looking() {
    let poll = Duration::from_millis(50);
    edits_are_applied(Options { poll, always_poll: true, ..quick() }).await;
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

/// Waits until the outcomes of `handle` have led to what `holds`.
async fn until(handle: &mut Handle, what: &str, holds: impl Fn() -> bool) {
    while !holds() {
        let next = tokio::time::timeout(PATIENCE, handle.next()).await;
        next.unwrap_or_else(|_| panic!("{what} did not come true")).expect("the service runs");
    }
}

/// A folder and a file of a project lie where no one answers. The start, later saves and a stop do not wait for them, and
/// they are read once there is an answer.
async fn files_without_an_answer_hold_up_no_others(options: Options) {
    let mut hung = HungMount::new();
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_files(
        folder.path(),
        "=== factum.yaml\nname: contoso\n=== teams/store/team.yaml\ncontact: '#store'\n\
         === teams/store/events/orders.yaml\nsummary: paid\n",
    );
    let link = folder.path().join("teams/store/events/carts.yaml");
    std::os::unix::fs::symlink(hung.path().join("carts.yaml"), &link).expect("linked");
    std::os::unix::fs::symlink(hung.path(), folder.path().join("teams/lake")).expect("linked");
    let (log, catalogue) = (Arc::new(MemoryLog::default()), Catalogue::new());
    let root = Some(folder.path().to_owned());
    let options = Options { read_limit: Duration::from_secs(2), ..options };
    let (mut service, mut handle) = Service::new(root, log, catalogue.clone(), Arc::new(()), options);
    let problems = || {
        let problems: Vec<_> = catalogue.problems().iter().map(ToString::to_string).collect();
        problems.join("\n").replace("no answer in 0.4 s", "no answer in 2 s")
    };
    let has = |name: &str| catalogue.event(&TopicName::new(name).expect("valid")).is_some();

    assert!(matches!(service.begin().await, Outcome::Applied { .. }));
    let unanswered = "teams/lake: cannot be read: no answer in 2 s\n\
        teams/store/events/carts.yaml: cannot be read: no answer in 2 s";
    assert_eq!(problems(), unanswered);
    assert!(has("store.orders"));

    let stop = Stop::new();
    let script = async {
        write_files(folder.path(), "=== teams/store/events/later.yaml\nsummary: saved later\n");
        until(&mut handle, "a later save", || has("store.later")).await;
        assert_eq!(problems(), unanswered);

        // Another file in its place is read, although the thread that waits for the first is still there.
        std::fs::remove_file(&link).expect("removed");
        write_files(folder.path(), "=== teams/store/events/carts.yaml\nsummary: left\n");
        until(&mut handle, "the file in place of the link", || has("store.carts")).await;

        hung.end();
        until(&mut handle, "the answer", || !problems().contains("no answer")).await;
        stop.request();
    };
    let (ran, ()) = tokio::join!(service.run(stop.clone()), script);
    ran.expect("the service stops in order");
}

#[tokio::test]
async fn files_without_an_answer_hold_up_no_others_on_notice() {
    files_without_an_answer_hold_up_no_others(quick()).await;
}

#[tokio::test]
async fn files_without_an_answer_hold_up_no_others_by_looking() {
    let poll = Duration::from_millis(50);
    files_without_an_answer_hold_up_no_others(Options { poll, always_poll: true, ..quick() }).await;
}

/// A load that waits for a file is let go by a stop.
#[tokio::test]
async fn a_stop_does_not_wait_for_a_file_without_an_answer() {
    let hung = HungMount::new();
    let folder = tempfile::tempdir().expect("a temporary folder");
    scaffold::init(folder.path()).expect("an empty folder takes a project");
    let (log, catalogue) = (Arc::new(MemoryLog::default()), Catalogue::new());
    let root = Some(folder.path().to_owned());
    let options = Options { read_limit: Duration::from_secs(3600), ..quick() };
    let (mut service, _handle) = Service::new(root, log, catalogue, Arc::new(()), options);
    service.begin().await;
    let stop = Stop::new();
    let script = async {
        std::os::unix::fs::symlink(hung.path().join("team"), folder.path().join("teams/hung"))
            .expect("linked");
        // Whether the load has begun by now or not: neither is waited for.
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.request();
    };
    let both = async { tokio::join!(service.run(stop.clone()), script) };
    let (ran, ()) = tokio::time::timeout(PATIENCE, both).await.expect("it stops");
    ran.expect("the service stops in order");
    // The runtime of this test waits for its threads.
    drop(hung);
}
