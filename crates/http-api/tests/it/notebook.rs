//! A topic of notes and views of them, for tests of responses that are large.

use std::sync::Arc;
use std::time::Duration;

use factum_sql::{Definitions, EventDefinition, PipelineDefinition};
use factum_types::TopicName;

use crate::support::{Server, Setup};

const CONTRACT: &str = r#"{"properties": {"page": {"type": "integer"}, "note": {"type": "string"}}}"#;

/// A server with the empty topic `store.notebook` and the views of `sql`.
pub(crate) async fn start(setup: Setup, sql: &str) -> Server {
    let server = Server::start_with(setup).await;
    server.topic("store.notebook").await;
    let definitions = Definitions {
        events: vec![EventDefinition {
            topic: TopicName::new("store.notebook").expect("a name"),
            schema: Some(Arc::new(serde_json::from_str(CONTRACT).expect("JSON"))),
            time: None,
            lateness: Duration::ZERO,
        }],
        tables: vec![],
        pipelines: vec![PipelineDefinition {
            team: "store".parse().expect("a team"),
            file: "teams/store/pipelines/notes.sql".into(),
            text: sql.into(),
        }],
    };
    server.engine.apply(definitions).await.expect("the definitions are good");
    server
}
