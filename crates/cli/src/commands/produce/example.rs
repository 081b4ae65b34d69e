//! An example event, made by the server from the topic's schema.

use miette::{Diagnostic, Report};
use serde::Deserialize;
use serde_json::Value;

use super::lines::Batch;
use crate::client::{Client, Error};

/// The event, as the server gives it.
#[derive(Deserialize)]
struct Sample {
    data: Option<Value>,
}

/// A topic of whose events nothing is known.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("nothing says what the events of topic {topic} are like")]
#[diagnostic(help("register a schema of its values: factum schema register {topic}-value --file FILE"))]
struct NoExample {
    topic: String,
}

/// An example event of a topic.
///
/// # Errors
/// If the topic is not there, or there is no example.
pub(super) async fn of_topic(topic: &str, client: &Client) -> Result<Value, Report> {
    let sample: Result<Sample, Error> = client.get(&["api", "v1", "topics", topic, "sample"]).await;
    if let Some(data) = sample?.data {
        return Ok(data);
    }
    client.topic(topic).await?;
    Err(NoExample { topic: topic.to_owned() }.into())
}

/// The event as the one line of a batch.
pub(super) fn batch(data: &Value) -> Batch {
    Batch { body: format!("{data}\n").into(), lines: vec![1], bytes_read: 0 }
}
