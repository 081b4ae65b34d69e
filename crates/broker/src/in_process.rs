//! The uniform interface, answered by the embedded log itself.
//!
//! Nothing here reads the log by a door that a Kafka client has not: records go through [`Partition::append`],
//! reads through [`Broker::fetch`], and a group's member is a member of the coordinator like any other, so that
//! it shares partitions with Kafka clients.

mod admin;
mod consumer;
mod decode;
mod internal_log;
mod produce;
mod read;
mod session;
mod transaction;
mod transaction_admin;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use factum_eventlog::{
    Chunk, EventLog, GroupConsumer, GroupError, Membership, NewRecord, Position, ProduceError, ReadError,
    RecordMetadata, TransactionError, TransactionalProducer,
};
use factum_types::{Offset, TopicName, TopicPartition, TransactionalId};

use crate::access::Access;
use crate::broker::Broker;
use crate::partition::Partition;

pub use internal_log::InternalLog;
pub(crate) use transaction::ProducerPool;

#[async_trait]
impl EventLog for Broker {
    async fn produce(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Vec<RecordMetadata>, ProduceError> {
        produce::produce(self, Access::Client, topic, records).await
    }

    async fn produce_whole(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Vec<RecordMetadata>, ProduceError> {
        produce::produce_whole(self, Access::Client, topic, records).await
    }

    async fn transactional_producer(
        &self,
        id: &TransactionalId,
    ) -> Result<Box<dyn TransactionalProducer>, TransactionError> {
        Ok(Box::new(transaction::Producer::open(self.clone(), Access::Client, id.clone()).await?))
    }

    async fn read(
        &self,
        partition: &TopicPartition,
        from: Offset,
        limit_bytes: usize,
        wait: Duration,
    ) -> Result<Chunk, ReadError> {
        read::read(self, partition, from, limit_bytes, wait).await
    }

    async fn wait_past(&self, partition: &TopicPartition, from: Offset) {
        read::wait_past(self, partition, from).await;
    }

    async fn offset_of(&self, partition: &TopicPartition, position: Position) -> Result<Offset, ReadError> {
        read::offset_of(self, partition, position)
    }

    async fn join(&self, membership: Membership) -> Result<Box<dyn GroupConsumer>, GroupError> {
        if membership.group.is_internal() {
            let reason = "the name is reserved for the server itself".to_owned();
            return Err(GroupError::Refused { group: membership.group, reason });
        }
        Ok(Box::new(consumer::Consumer::join(self.clone(), membership)?))
    }
}

impl Broker {
    fn find(&self, partition: &TopicPartition) -> Option<Arc<Partition>> {
        self.topic(partition.topic.as_str())?.partition(partition.partition).cloned()
    }
}

/// An error with its causes, on one line: the interface tells reasons in words.
pub(crate) fn reason(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
