//! A project with a file that gives no answer, as on a network mount whose server is gone.
//!
//! The test mounts such a file system, so it runs as root.
#![cfg(target_os = "linux")]

mod support;

use std::os::unix::fs::symlink;
use std::time::Duration;

use factum_testkit::{FactumProcess, HungMount, Launch};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use support::BINARY;

const FILES: [(&str, &str); 4] = [
    ("factum.yaml", "name: contoso\n"),
    ("teams/store/team.yaml", "contact: '#store'\n"),
    ("teams/store/events/orders.schema.json", r#"{"properties": {"total": {"type": "number"}}}"#),
    ("teams/store/events/orders.yaml", "partitions: 1\n"),
];

fn view(name: &str) -> String {
    format!("CREATE MATERIALIZED VIEW {name} AS SELECT count(*) AS n FROM orders;\n")
}

async fn get(factum: &FactumProcess, path: &str) -> (StatusCode, Value) {
    let http = Client::builder().no_proxy().build().expect("a client");
    let answer = http.get(format!("{}{path}", factum.http())).send().await.expect("an answer");
    (answer.status(), answer.json().await.unwrap_or_default())
}

async fn until_served(factum: &FactumProcess, view: &str) {
    for _ in 0..400 {
        if get(factum, &format!("/api/v1/views/{view}")).await.0 == StatusCode::OK {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("view {view} was not served within 20 seconds");
}

/// What a server that is being started answers first.
async fn first_answer(http: &str, path: &str) -> Value {
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(1)).build().expect("a client");
    for _ in 0..400 {
        if let Ok(answer) = client.get(format!("{http}{path}")).send().await
            && answer.status() == StatusCode::OK
        {
            return answer.json().await.expect("JSON");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} was not answered within 20 seconds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_serves_what_is_recorded_before_its_folder_is_read() {
    let (hung, folder) = (HungMount::new(), tempfile::tempdir().expect("a temporary folder"));
    let (data, project) = (folder.path().join("data"), folder.path().join("project"));
    let pipelines = project.join("teams/store/pipelines");
    std::fs::create_dir_all(&pipelines).expect("made");
    std::fs::create_dir_all(project.join("teams/store/events")).expect("made");
    for (path, text) in FILES {
        std::fs::write(project.join(path), text).expect("written");
    }
    std::fs::write(pipelines.join("before.sql"), view("before")).expect("written");
    let mut factum = Launch::new(BINARY).data_dir(&data).project(&project).start();
    until_served(&factum, "before").await;

    symlink(hung.path().join("hung.sql"), pipelines.join("hung.sql")).expect("linked");
    factum.kill();
    let http = factum.http();
    let restarting = tokio::task::spawn_blocking(move || {
        factum.restart();
        factum
    });
    first_answer(&http, "/api/v1/views/before").await;
    let status = first_answer(&http, "/api/v1/project").await;
    assert_eq!(status["problems"], Value::Array(Vec::new()), "the folder is not read yet");
    let mut factum = restarting.await.expect("it starts");
    let (_, status) = get(&factum, "/api/v1/project").await;
    assert_eq!(status["problems"].as_array().map(Vec::len), Some(1), "{status}");
    assert!(factum.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_without_an_answer_keeps_a_server_from_nothing() {
    let (hung, folder) = (HungMount::new(), tempfile::tempdir().expect("a temporary folder"));
    let (data, project) = (folder.path().join("data"), folder.path().join("project"));
    let write = |path: &str, text: &str| {
        let path = project.join(path);
        std::fs::create_dir_all(path.parent().expect("in the folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    FILES.iter().for_each(|(path, text)| write(path, text));
    write("teams/store/pipelines/before.sql", &view("before"));
    let link = project.join("teams/store/pipelines/hung.sql");
    symlink(hung.path().join("hung.sql"), &link).expect("linked");

    let mut factum = Launch::new(BINARY).data_dir(&data).project(&project).start();
    until_served(&factum, "before").await;
    let (_, status) = get(&factum, "/api/v1/project").await;
    let problems = status["problems"].as_array().expect("a list");
    let told: Vec<_> = problems.iter().map(|it| (it["file"].as_str(), it["message"].as_str())).collect();
    assert_eq!(told, [(Some("teams/store/pipelines/hung.sql"), Some("cannot be read: no answer in 5 s"))]);

    write("teams/store/pipelines/after.sql", &view("after"));
    until_served(&factum, "after").await;
    assert_eq!(get(&factum, "/api/v1/views/hung").await.0, StatusCode::NOT_FOUND);

    std::fs::remove_file(&link).expect("removed");
    write("teams/store/pipelines/hung.sql", &view("hung"));
    until_served(&factum, "hung").await;
    let (_, status) = get(&factum, "/api/v1/project").await;
    assert_eq!(status["problems"], Value::Array(Vec::new()));
    assert!(factum.stop().success());
}
