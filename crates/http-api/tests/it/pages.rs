//! Pages, documents, health and measures.

use expect_test::{expect, expect_file};
use factum_http_api::{HealthReport, RoleHealth, openapi};

use crate::support::{Server, Setup};

#[tokio::test]
async fn pages_ask_nothing_of_other_servers() {
    let server = Server::start().await;
    for path in ["/", "/docs", "/docs/start.js"] {
        let page = server.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            !page.text().contains("//cdn") && !page.text().contains("https://"),
            "{path}: {}",
            page.text()
        );
    }
    let scalar = server.get("/docs/scalar.js").await;
    assert_eq!((scalar.status, &scalar.body[..2]), (200, &[0x1f, 0x8b][..]), "Scalar itself, compressed");
    let document = server.get("/openapi.json").await.json();
    assert_eq!(document["openapi"].as_str().map(|version| &version[..2]), Some("3."));
    server.stop().await;
}

#[tokio::test]
async fn unknown_paths_are_answered_with_problems() {
    let server = Server::start().await;
    expect!["404 nothing is at /nothing; /docs lists what there is {}"]
        .assert_eq(&server.get("/nothing").await.problem());
    expect!["405 /api/v1/topics does not take PUT; /docs lists what it takes {}"]
        .assert_eq(&server.send("PUT", "/api/v1/topics", &[], "").await.problem());
    server.stop().await;
}

#[tokio::test]
async fn readiness_gives_its_reasons() {
    fn disk_full() -> HealthReport {
        let kafka = RoleHealth { role: "kafka".to_owned(), ready: true, problems: vec![] };
        let problems = vec!["no space left on device".to_owned()];
        let roles = vec![kafka, RoleHealth { role: "log".to_owned(), ready: false, problems }];
        HealthReport { roles, ..HealthReport::default() }
    }
    let server = Server::start().await;
    expect![[r#"
        200 {"status":"live"}
    "#]]
    .assert_eq(&server.get("/health/live").await.line());
    expect![[r#"
        200 {"status":"ready","roles":[{"role":"log","ready":true,"problems":[]}]}
    "#]]
    .assert_eq(&server.get("/health/ready").await.line());
    server.stop().await;
    let server = Server::start_with(Setup { health: disk_full, ..Setup::default() }).await;
    expect![[r#"
        503 {"status":"not ready","roles":[{"role":"kafka","ready":true,"problems":[]},{"role":"log","ready":false,"problems":["no space left on device"]}]}
    "#]].assert_eq(&server.get("/health/ready").await.line());
    server.stop().await;
}

#[tokio::test]
async fn teams_and_events_are_shown() {
    let server = Server::start().await;
    server.declare("store.orders", Some("Email"));
    expect![[r#"
        200 {"teams":[]}
    "#]]
    .assert_eq(&server.get("/api/v1/teams").await.line());
    expect![[r#"
        200 {"teams":[],"events":[{"topic":"store.orders","team":"store","project":"contoso","summary":"A customer paid for an order.","format":"json","key":"Email","visibility":"company","event_type":"contoso.store.orders","source":"/contoso/store"}],"problems":[]}
    "#]].assert_eq(&server.get("/api/v1/catalogue").await.line());
    server.stop().await;
}

#[tokio::test]
async fn measures_are_shown() {
    let server = Server::start().await;
    assert_eq!(server.get("/metrics").await.status, 200);
    server.stop().await;
}

/// The console's types are generated from this file: a change of the interface shows in its difference.
#[test]
fn the_description_is_the_committed_one() {
    let document = openapi().to_pretty_json().expect("text and numbers serialise");
    expect_file!["../../openapi.json"].assert_eq(&(document + "\n"));
}
