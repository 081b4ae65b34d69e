//! Subjects of the schema registry as tools for people show them.

use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::expect;
use factum_types::auth::Client;
use factum_types::{AccessDeniedError, Action, Authorizer, Resource};
use serde_json::json;

use crate::support::{Server, Setup};

/// Allows everything but to see what is secret.
struct NoSecrets;

impl Authorizer for NoSecrets {
    fn check(
        &self,
        client: Client<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        if action == Action::Describe && resource.to_string().contains("secret") {
            return Err(AccessDeniedError::new(client, action, resource));
        }
        Ok(())
    }
}

async fn register(server: &Server, subject: &str, fields: &str) {
    let schema = format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#);
    let path = format!("/subjects/{subject}/versions");
    let answer = server.post_json(&path, &json!({"schema": schema}).to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// A server with five subjects, one of which no one may see.
async fn start() -> Server {
    let server = Server::start_with(Setup { authorizer: Arc::new(NoSecrets), ..Setup::default() }).await;
    for subject in [
        "store.orders-value",
        "store.orders-key",
        ":.staging:store.orders-value",
        "money",
        "store.secret-value",
    ] {
        register(&server, subject, "").await;
    }
    register(&server, "money", r#"{"name":"cents","type":"long","default":0}"#).await;
    let level = json!({"compatibility": "FULL"}).to_string();
    let set =
        server.send("PUT", "/config/money", &[("content-type", "application/json")], level.as_str()).await;
    assert_eq!(set.status, 200, "{}", set.text());
    server
}

#[tokio::test]
async fn subjects_are_listed_with_their_latest_version_and_level() {
    let server = start().await;
    let mut shown = String::new();
    for query in ["", "?q=MONEY", "?topic=store.orders", "?q=staging", "?limit=1&offset=1", "?offset=9"] {
        writeln!(shown, "{query}: {}", server.get(&format!("/api/v1/subjects{query}")).await.line())
            .expect("text grows");
    }
    for query in ["?limit=1001", "?topic=a/b", "?prefix=a"] {
        let answer = server.get(&format!("/api/v1/subjects{query}")).await;
        writeln!(shown, "{query}: {}", answer.problem()).expect("text grows");
    }
    expect![[r#""#]].assert_eq(&shown);
    server.stop().await;
}

#[tokio::test]
async fn a_subject_is_shown_with_its_versions_to_those_who_may_see_its_topic() {
    let server = start().await;
    let mut shown = String::new();
    for subject in ["money", ":.staging:store.orders-value"] {
        writeln!(shown, "{}", server.get(&format!("/api/v1/subjects/{subject}")).await.line())
            .expect("text grows");
    }
    for subject in ["none", "store.secret-value", "__GLOBAL"] {
        writeln!(shown, "{}", server.get(&format!("/api/v1/subjects/{subject}")).await.problem())
            .expect("text grows");
    }
    expect![[r#""#]].assert_eq(&shown);
    server.stop().await;
}
