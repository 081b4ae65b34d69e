//! DeleteRecords: the oldest records of partitions away.

use std::sync::Arc;

use factum_broker::{Partition, Topic};
use factum_types::{Action, Offset};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsResponse, DeleteRecordsTopic,
    DeletedRecordsPartition, DeletedRecordsTopic, HIGH_WATERMARK, NO_LOW_WATERMARK,
};

impl Handle for DeleteRecordsRequest {
    type Response = DeleteRecordsResponse;

    async fn handle(self, call: &Call) -> DeleteRecordsResponse {
        let mut topics = Vec::new();
        for topic in lookup::unique(self.topics, |topic| topic.name.clone()) {
            topics.push(delete(call, topic).await);
        }
        DeleteRecordsResponse { throttle_time_ms: 0, topics }
    }
}

async fn delete(call: &Call, topic: DeleteRecordsTopic) -> DeletedRecordsTopic {
    let found = call.session.topic(Action::Delete, &topic.name);
    let mut partitions = Vec::new();
    for asked in lookup::unique(topic.partitions, |partition| partition.partition_index) {
        let (low_watermark, error_code) = match delete_from(call, &found, &asked).await {
            Ok(start) => (start.get(), ErrorCode::None),
            Err(code) => (NO_LOW_WATERMARK, code),
        };
        let partition_index = asked.partition_index;
        partitions.push(DeletedRecordsPartition { partition_index, low_watermark, error_code });
    }
    DeletedRecordsTopic { name: topic.name, partitions }
}

async fn delete_from(
    call: &Call,
    topic: &Result<Arc<Topic>, ErrorCode>,
    asked: &DeleteRecordsPartition,
) -> Result<Offset, ErrorCode> {
    let partition: &Arc<Partition> = lookup::partition(topic, asked.partition_index)?;
    let before = match asked.offset {
        HIGH_WATERMARK => partition.bounds().high_watermark,
        offset if offset < 0 => return Err(ErrorCode::OffsetOutOfRange),
        offset => Offset::new(offset),
    };
    let deleted = call.session.broker().delete_records(partition, before).await;
    deleted.map_err(|error| ErrorCode::from(&error))
}
