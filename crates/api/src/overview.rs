//! The state of the whole server at a glance.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Int64;
use crate::health::RoleHealth;

/// The state of the whole server. Topics that Factum keeps for itself are not counted. Rates are per second, and absent in
/// the first response after a while without requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// The version of the server.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// Seconds since its start.
    pub uptime_seconds: u64,
    /// Where Kafka clients connect.
    pub kafka: KafkaAddress,
    /// Whether every role serves.
    pub health: HealthView,
    /// Topics.
    pub topics: usize,
    /// Records kept, a 64-bit number as text.
    #[schema(value_type = String, example = "1200")]
    pub records: Int64,
    /// Bytes on disk, a 64-bit number as text.
    #[schema(value_type = String, example = "65536")]
    pub bytes: Int64,
    /// Views.
    pub views: usize,
    /// Pipelines.
    pub pipelines: usize,
    /// Consumer groups.
    pub groups: usize,
    /// What is wrong with the project's files, warnings included; `/api/v1/project` has them.
    pub problems: usize,
    /// Records that came.
    #[schema(example = 20.5)]
    pub records_per_second: Option<f64>,
    /// Bytes that came.
    #[schema(example = 5120.0)]
    pub bytes_per_second: Option<f64>,
    /// Each topic.
    pub by_topic: Vec<TopicActivity>,
    /// Each pipeline.
    pub by_pipeline: Vec<PipelineActivity>,
}

/// Whether every role serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthView {
    /// Whether every role serves.
    pub ready: bool,
    /// Every role with its reasons.
    pub roles: Vec<RoleHealth>,
}

/// A topic, and how much comes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopicActivity {
    /// Its name.
    #[schema(example = "store.orders")]
    pub name: String,
    /// Records kept, a 64-bit number as text.
    #[schema(value_type = String, example = "1200")]
    pub records: Int64,
    /// Records that came.
    #[schema(example = 20.5)]
    pub records_per_second: Option<f64>,
}

/// A pipeline, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PipelineActivity {
    /// Its name.
    #[schema(example = "store.top_movies")]
    pub name: String,
    /// Events in the log that it has not taken in, a 64-bit number as text.
    #[schema(value_type = String, example = "0")]
    pub lag: Int64,
    /// Events per second that it takes in.
    #[schema(example = 20.5)]
    pub rate: f64,
}

/// Where Kafka clients connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KafkaAddress {
    /// The advertised host or the address of the listener; null where it listens on all of the machine's addresses: then
    /// any host by which this server is reached.
    #[schema(example = "127.0.0.1")]
    pub host: Option<String>,
    /// The port.
    #[schema(example = 9092)]
    pub port: u16,
}
