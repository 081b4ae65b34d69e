//! DeleteTopics.

use factum_types::TopicId;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for topics to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteTopicsRequest {
    /// The topics.
    pub topics: Vec<DeletableTopic>,
    /// Milliseconds that the client will wait.
    pub timeout_ms: i32,
}

/// A topic to delete, by name or by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletableTopic {
    /// Its name; null in version 6 to name it by id.
    pub name: Option<String>,
    /// Its id, version 6; nil to name it by name.
    pub topic_id: TopicId,
}

/// Says which topics were deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteTopicsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each topic.
    pub responses: Vec<DeletedTopic>,
}

/// What became of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedTopic {
    /// Its name; null in version 6 if it was asked for by an unknown id.
    pub name: Option<String>,
    /// Its id, version 6.
    pub topic_id: TopicId,
    /// Why it was not deleted.
    pub error_code: ErrorCode,
    /// Why it was not deleted, in words, from version 5.
    pub error_message: Option<String>,
}

impl Request for DeleteTopicsRequest {
    const API: ApiKey = ApiKey::DeleteTopics;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            topics: match version {
                ..6 => r.array("topic_names", |r| {
                    Ok(DeletableTopic { name: Some(r.string("topic_names")?), topic_id: TopicId::NIL })
                })?,
                _ => r.array("topics", DeletableTopic::decode)?,
            },
            timeout_ms: r.i32("timeout_ms")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl DeletableTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic = Self { name: r.nullable_string("name")?, topic_id: r.topic_id("topic_id")? };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl Response for DeleteTopicsResponse {
    const API: ApiKey = ApiKey::DeleteTopics;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.responses, |w, topic| topic.encode(w, version));
        w.no_tagged_fields();
    }
}

impl DeletedTopic {
    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 6 {
            w.nullable_string(self.name.as_deref());
            w.topic_id(self.topic_id);
        } else {
            w.string(self.name.as_deref().unwrap_or_default());
        }
        w.error_code(self.error_code);
        if version >= 5 {
            w.nullable_string(self.error_message.as_deref());
        }
        w.no_tagged_fields();
    }
}
