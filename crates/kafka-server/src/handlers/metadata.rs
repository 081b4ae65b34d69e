//! Metadata: where to connect, and which topics there are.
//!
//! There is one node. It leads every partition, and it is the controller. Anyone may learn where it is; of
//! topics a client learns only what it may describe.

use std::sync::Arc;

use factum_broker::{EnsureTopicError, Topic as BrokerTopic};
use factum_types::{Action, Resource, TopicId, TopicName};
use tracing::warn;

use super::throttling::ChangeAllowance;
use super::{Call, Handle, Session, lookup};
use crate::error_code::ErrorCode;
use crate::messages::metadata::{
    Broker, MetadataRequest, MetadataResponse, OPERATIONS_NOT_ASKED, Partition, RequestedTopic, Topic,
};

impl Handle for MetadataRequest {
    type Response = MetadataResponse;

    async fn handle(self, call: &Call) -> MetadataResponse {
        let session = &call.session;
        let mut allowance = ChangeAllowance::permissive(call);
        let with_operations = self.include_topic_authorized_operations;
        let topics = match self.topics {
            None => all_topics(session, with_operations),
            Some(asked) => {
                let mut topics = Vec::with_capacity(asked.len());
                for topic in lookup::unique(asked, |topic| (topic.name.clone(), topic.topic_id)) {
                    let found = find(session, &topic, self.allow_auto_topic_creation, &mut allowance).await;
                    topics.push(match found {
                        Ok(found) => describe(session, &found, with_operations),
                        Err(error_code) => absent(topic, error_code),
                    });
                }
                topics
            }
        };
        let (broker, endpoint) = (session.broker(), session.endpoint());
        let node_id = broker.node_id();
        MetadataResponse {
            throttle_time_ms: allowance.throttle_time_ms(),
            brokers: vec![Broker { node_id, host: endpoint.host, port: endpoint.port.into(), rack: None }],
            cluster_id: Some(broker.cluster_id().to_owned()),
            controller_id: node_id,
            topics,
            cluster_authorized_operations: session
                .operations(self.include_cluster_authorized_operations, Resource::Cluster),
            error_code: ErrorCode::None,
        }
    }
}

fn all_topics(session: &Session, with_operations: bool) -> Vec<Topic> {
    let topics = session.broker().topics();
    let visible = topics.iter().filter(|topic| session.may(Action::Describe, Resource::Topic(topic.name())));
    visible.map(|topic| describe(session, topic, with_operations)).collect()
}

async fn find(
    session: &Session,
    asked: &RequestedTopic,
    may_create: bool,
    allowance: &mut ChangeAllowance<'_>,
) -> Result<Arc<BrokerTopic>, ErrorCode> {
    match &asked.name {
        Some(name) => by_name(session, name, may_create, allowance).await,
        None => session.topic_by_id(Action::Describe, asked.topic_id),
    }
}

/// Finds a topic, or makes it if the client and the broker allow that.
async fn by_name(
    session: &Session,
    name: &str,
    may_create: bool,
    allowance: &mut ChangeAllowance<'_>,
) -> Result<Arc<BrokerTopic>, ErrorCode> {
    let name = TopicName::new(name).map_err(|_| ErrorCode::InvalidTopicException)?;
    session.check_topic(Action::Describe, &name)?;
    if let Some(topic) = session.broker().topic(name.as_str()) {
        return Ok(topic);
    }
    if may_create && session.broker().auto_creates_topics() && !may_create_topic(session, &name) {
        return Err(ErrorCode::TopicAuthorizationFailed);
    }
    let made = session.broker().ensure_topic(&name, may_create).await.map_err(|error| {
        if let EnsureTopicError::Create(error) = &error
            && let Some(left_out) = session.node.may_log(session.peer.ip())
        {
            warn!(topic = %name, %error, left_out, "cannot make a topic on its first use");
        }
        ErrorCode::from(&error)
    })?;
    allowance.spend(made.partition_count())?;
    Ok(made)
}

pub(super) fn may_create_topic(session: &Session, name: &TopicName) -> bool {
    session.may(Action::Create, Resource::Cluster) || session.may(Action::Create, Resource::Topic(name))
}

fn describe(session: &Session, topic: &BrokerTopic, with_operations: bool) -> Topic {
    let node = session.broker().node_id();
    let partitions = topic.partitions().iter().map(|partition| Partition {
        error_code: ErrorCode::None,
        partition_index: partition.topic_partition().partition,
        leader_id: node,
        leader_epoch: partition.bounds().leader_epoch,
        replica_nodes: vec![node],
        isr_nodes: vec![node],
        offline_replicas: Vec::new(),
    });
    Topic {
        error_code: ErrorCode::None,
        name: Some(topic.name().as_str().to_owned()),
        topic_id: topic.id(),
        is_internal: topic.is_internal(),
        partitions: partitions.collect(),
        topic_authorized_operations: session.operations(with_operations, Resource::Topic(topic.name())),
    }
}

fn absent(asked: RequestedTopic, error_code: ErrorCode) -> Topic {
    Topic {
        error_code,
        name: asked.name,
        topic_id: if error_code == ErrorCode::UnknownTopicId { asked.topic_id } else { TopicId::NIL },
        is_internal: false,
        partitions: Vec::new(),
        topic_authorized_operations: OPERATIONS_NOT_ASKED,
    }
}
