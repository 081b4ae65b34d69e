//! CreateTopics: new topics, each on disk when the answer says so.

use std::collections::HashSet;

use factum_broker::{CreateTopicError, NewTopic, TopicConfig};
use factum_types::{Action, TopicId, TopicName};
use tracing::error;

use super::throttling::{ChangeAllowance, TOO_MANY_CHANGES};
use super::{Call, Handle, configs, metadata};
use crate::error_code::ErrorCode;
use crate::messages::create_topics::{
    CreatableTopic, CreateTopicsRequest, CreateTopicsResponse, CreatedConfig, CreatedTopic,
};
use crate::messages::describe_configs::DescribedConfig;

/// The number of partitions, or of replicas, that leaves the choice to the broker (KIP-464).
const BROKERS_CHOICE: i32 = -1;
/// There is one node, so there is one replica.
const REPLICAS: i16 = 1;
/// The first version whose clients know `THROTTLING_QUOTA_EXCEEDED` (KIP-599).
const QUOTA_IS_STRICT_SINCE: i16 = 6;

impl Handle for CreateTopicsRequest {
    type Response = CreateTopicsResponse;

    async fn handle(self, call: &Call) -> CreateTopicsResponse {
        let twice = named_twice(&self.topics);
        let mut allowance = ChangeAllowance::new(call, QUOTA_IS_STRICT_SINCE);
        let mut topics = Vec::with_capacity(self.topics.len());
        for topic in self.topics {
            let made = match twice.contains(&topic.name) {
                true => {
                    Err(CreateRefusal::new(ErrorCode::InvalidRequest, "the request names the topic twice"))
                }
                false => make(call, &topic, self.validate_only, &mut allowance).await,
            };
            topics.push(render(call, topic.name, made));
        }
        CreateTopicsResponse { throttle_time_ms: allowance.throttle_time_ms(), topics }
    }
}

/// Why a topic was not made.
struct CreateRefusal {
    code: ErrorCode,
    reason: Option<String>,
}

impl CreateRefusal {
    fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self { code, reason: Some(reason.into()) }
    }
}

impl From<CreateTopicError> for CreateRefusal {
    fn from(failure: CreateTopicError) -> Self {
        if let CreateTopicError::Storage(source) | CreateTopicError::OutOfOpenFiles { source, .. } = &failure
        {
            error!(error = %source, "cannot make a topic");
        }
        Self::new(ErrorCode::from(&failure), failure.to_string())
    }
}

/// A topic that was made, or that could be.
struct NewTopicSummary {
    id: TopicId,
    partitions: i32,
    config: TopicConfig,
}

fn named_twice(topics: &[CreatableTopic]) -> HashSet<String> {
    let mut seen = HashSet::new();
    topics.iter().filter(|topic| !seen.insert(&topic.name)).map(|topic| topic.name.clone()).collect()
}

async fn make(
    call: &Call,
    asked: &CreatableTopic,
    validate_only: bool,
    allowance: &mut ChangeAllowance<'_>,
) -> Result<NewTopicSummary, CreateRefusal> {
    let name = TopicName::new(asked.name.as_str())
        .map_err(|error| CreateRefusal::new(ErrorCode::InvalidTopicException, error.to_string()))?;
    if !metadata::may_create_topic(&call.session, &name) {
        return Err(CreateRefusal { code: ErrorCode::TopicAuthorizationFailed, reason: None });
    }
    let partitions = partitions(asked, call.session.broker().node_id())?;
    let config = configs::parse(&asked.configs)
        .map_err(|reason| CreateRefusal::new(ErrorCode::InvalidConfig, reason))?;
    let new = NewTopic { name, partitions, config: config.clone() };
    // As in Kafka, what is only tried counts as well.
    let partitions = call.session.broker().validate_topic(&new)?;
    allowance.spend(partitions).map_err(|code| CreateRefusal::new(code, TOO_MANY_CHANGES))?;
    if validate_only {
        return Ok(NewTopicSummary { id: TopicId::NIL, partitions, config });
    }
    let topic = call.session.broker().create_topic(new).await?;
    Ok(NewTopicSummary { id: topic.id(), partitions: topic.partition_count(), config })
}

/// How many partitions are asked for; `None` leaves it to the broker.
fn partitions(asked: &CreatableTopic, node: i32) -> Result<Option<i32>, CreateRefusal> {
    let leaves_replicas = i32::from(asked.replication_factor) == BROKERS_CHOICE;
    if asked.assignments.is_empty() {
        if !leaves_replicas && asked.replication_factor != REPLICAS {
            let reason =
                format!("there is one node, so {} replicas are not possible", asked.replication_factor);
            return Err(CreateRefusal::new(ErrorCode::InvalidReplicationFactor, reason));
        }
        return Ok(Some(asked.num_partitions).filter(|number| *number != BROKERS_CHOICE));
    }
    if asked.num_partitions != BROKERS_CHOICE || !leaves_replicas {
        let reason = "replicas are assigned by hand and counted as well";
        return Err(CreateRefusal::new(ErrorCode::InvalidRequest, reason));
    }
    let mut numbers: Vec<i32> = asked.assignments.iter().map(|each| each.partition_index).collect();
    numbers.sort_unstable();
    let is_dense = numbers.iter().zip(0..).all(|(number, expected)| *number == expected);
    let is_ours = asked.assignments.iter().all(|each| each.broker_ids == [node]);
    match is_dense && is_ours {
        true => Ok(i32::try_from(numbers.len()).ok()),
        false => {
            let reason =
                format!("partitions must be numbered from 0, each with broker {node} as its replica");
            Err(CreateRefusal::new(ErrorCode::InvalidReplicaAssignment, reason))
        }
    }
}

fn render(call: &Call, name: String, made: Result<NewTopicSummary, CreateRefusal>) -> CreatedTopic {
    match made {
        Err(CreateRefusal { code, reason }) => CreatedTopic {
            name,
            topic_id: TopicId::NIL,
            error_code: code,
            error_message: reason,
            topic_config_error_code: ErrorCode::None,
            num_partitions: -1,
            replication_factor: -1,
            configs: None,
        },
        Ok(NewTopicSummary { id, partitions, config }) => {
            let (configs, topic_config_error_code) = visible_configs(call, &name, &config);
            CreatedTopic {
                name,
                topic_id: id,
                error_code: ErrorCode::None,
                error_message: None,
                topic_config_error_code,
                num_partitions: partitions,
                replication_factor: REPLICAS,
                configs,
            }
        }
    }
}

/// The settings of the new topic, if the client may see settings (KIP-525).
fn visible_configs(call: &Call, name: &str, config: &TopicConfig) -> (Option<Vec<CreatedConfig>>, ErrorCode) {
    let name = TopicName::new(name).expect("a topic of this name was just made");
    match call.session.check_topic(Action::DescribeConfigs, &name) {
        Err(code) => (None, code),
        Ok(()) => {
            let all = configs::describe_topic(config, call.session.broker().options());
            (Some(all.into_iter().map(created).collect()), ErrorCode::None)
        }
    }
}

fn created(config: DescribedConfig) -> CreatedConfig {
    CreatedConfig {
        name: config.name,
        value: config.value,
        read_only: config.read_only,
        config_source: config.source,
        is_sensitive: config.is_sensitive,
    }
}
