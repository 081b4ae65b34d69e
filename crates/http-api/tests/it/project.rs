//! Dashboards and the project, over a folder that is applied to a real engine.

use expect_test::expect;
use factum_governance::watch::apply_once;
use factum_governance::{DashboardDefinition, Definitions, Panel, PanelKind, project};
use factum_types::TopicName;

use crate::support::Server;

fn panel(kind: PanelKind, view: &str, columns: &[&str]) -> Panel {
    Panel {
        title: "Top".to_owned(),
        kind,
        view: view.to_owned(),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        over: None,
        by: None,
        unit: None,
        last: None,
        wide: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dashboard_is_shown_with_what_it_lacks() {
    let server = crate::views::start(crate::support::Setup::default()).await;
    let bars = Panel { by: Some("Product".to_owned()), ..panel(PanelKind::Bar, "store.top", &["Sold"]) };
    let dashboard = DashboardDefinition {
        name: "store.movies".parse().expect("a name"),
        team: "store".parse().expect("a team"),
        project: "contoso".to_owned(),
        title: "Movies, live".to_owned(),
        summary: None,
        panels: vec![
            bars,
            panel(PanelKind::Table, "store.tap", &["sold"]),
            Panel { unit: Some("$".to_owned()), ..panel(PanelKind::Number, "store.top", &["revnue"]) },
        ],
    };
    let mut definitions = Definitions::new();
    definitions.insert(dashboard);
    server.catalogue.replace(&definitions.into());
    let list = server.get("/api/v1/dashboards").await;
    assert!(list.text().ends_with("}\n"), "an answer ends its line");
    let listed = list.json();
    let shown = server.get("/api/v1/dashboards/movies").await.json();
    assert_eq!(listed["dashboards"][0], shown);
    expect![[r#"
        {
          "name": "store.movies",
          "team": "store",
          "title": "Movies, live",
          "summary": null,
          "panels": [
            {
              "kind": "bar",
              "title": "Top",
              "view": "store.top",
              "columns": [
                "sold"
              ],
              "over": null,
              "by": "product",
              "unit": null,
              "last": null,
              "wide": false,
              "problem": null
            },
            {
              "kind": "table",
              "title": "Top",
              "view": "store.tap",
              "columns": [
                "sold"
              ],
              "over": null,
              "by": null,
              "unit": null,
              "last": null,
              "wide": false,
              "problem": "there is no view store.tap; did you mean `store.top`?"
            },
            {
              "kind": "number",
              "title": "Top",
              "view": "store.top",
              "columns": [
                "revnue"
              ],
              "over": null,
              "by": null,
              "unit": "$",
              "last": null,
              "wide": false,
              "problem": "view store.top has no column revnue; did you mean `revenue`?"
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&shown).expect("JSON"));
    expect![[r#"404 there is no dashboard store.movie; did you mean store.movies? {"near":"store.movies"}"#]]
        .assert_eq(&server.get("/api/v1/dashboards/store.movie").await.problem());
    server.stop().await;
}

const FILES: [(&str, &str); 3] = [
    ("factum.yaml", "name: contoso\n"),
    ("teams/store/team.yaml", "contact: '#store'\n"),
    ("teams/store/events/orders.yaml", "key: Email\n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn project_problems_are_shown_until_they_are_mended() {
    let server = Server::start().await;
    expect![[r#"
        200 {"name":null,"path":null,"applied_at":null,"failure":null,"problems":[]}
    "#]]
    .assert_eq(&server.get("/api/v1/project").await.line());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    FILES.iter().for_each(|(path, text)| write(path, text));
    let apply = async || {
        let log = server.broker.internal_log();
        apply_once(folder.path(), &log, &server.catalogue, &()).await.map(drop)
    };
    apply().await.expect("it applies");
    assert!(project::load(folder.path()).is_ok());
    let shown = async || {
        let text = server.get("/api/v1/project").await.text();
        text.replace(&folder.path().display().to_string(), "FOLDER")
    };
    expect![[r#"
        {"name":"contoso","path":"FOLDER","applied_at":"2026-11-20T10:00:00.000Z","failure":null,"problems":[]}
    "#]].assert_eq(&shown().await);
    write("teams/store/events/orders.yaml", "summary: A customer paid.\nkye: Email\n");
    apply().await.expect("the rest of it applies");
    expect![[r#"
        {"name":"contoso","path":"FOLDER","applied_at":"2026-11-20T10:00:00.000Z","failure":"one error: what it concerns stays as it was; the rest is applied","problems":[{"severity":"error","message":"there is no field `kye`","file":"teams/store/events/orders.yaml","line":2,"column":1,"help":"known here: capture, cleanup_policy, compression, delete_retention, format, key, lateness, max_compaction_lag, max_message_bytes, min_compaction_lag, min_dirty_ratio, partitions, retention, retention_bytes, schema, segment_age, segment_bytes, source, summary, time, timestamp_after_max, timestamp_before_max, timestamp_type, type, visibility","excerpt":"1 | summary: A customer paid.\n2 | kye: Email\n  | ^^^ did you mean `key`?"}]}
    "#]].assert_eq(&shown().await);
    assert!(server.catalogue.event(&TopicName::new("store.orders").expect("a name")).is_some());
    write("teams/store/events/orders.yaml", "key: Email\n");
    apply().await.expect("it applies again");
    expect![[r#"
        {"name":"contoso","path":"FOLDER","applied_at":"2026-11-20T10:00:00.000Z","failure":null,"problems":[]}
    "#]].assert_eq(&shown().await);
    server.stop().await;
}
