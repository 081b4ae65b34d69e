//! DescribeLogDirs: what the topics take of the disk, all in one folder.

use std::path;
use std::sync::Arc;

use factum_broker::{Broker, Partition};
use factum_types::Action;

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::describe_log_dirs::{
    DescribableTopic, DescribeLogDirsRequest, DescribeLogDirsResponse, LogDir, LogDirPartition, LogDirTopic,
    UNKNOWN_BYTES,
};

impl Handle for DescribeLogDirsRequest {
    type Response = DescribeLogDirsResponse;

    async fn handle(self, call: &Call) -> DescribeLogDirsResponse {
        let (error_code, results) = match call.session.check_cluster(Action::Describe) {
            Ok(()) => (ErrorCode::None, vec![describe(call.session.broker(), self.topics)]),
            Err(code) => (code, Vec::new()),
        };
        DescribeLogDirsResponse { throttle_time_ms: 0, error_code, results }
    }
}

/// As in Kafka, what there is not is left out.
fn describe(broker: &Broker, asked: Option<Vec<DescribableTopic>>) -> LogDir {
    let topics = match asked {
        None => broker.topics().iter().map(|topic| show(topic.name().as_str(), topic.partitions())).collect(),
        Some(asked) => {
            let asked = lookup::unique(asked, |topic| topic.name.clone());
            let found = asked.filter_map(|asked| Some((broker.topic(&asked.name)?, asked)));
            let shown = found.map(|(topic, asked)| {
                let numbers = lookup::unique(asked.partitions, |number| *number);
                let partitions: Vec<_> =
                    numbers.filter_map(|number| topic.partition(number).cloned()).collect();
                show(&asked.name, &partitions)
            });
            shown.collect()
        }
    };
    let space = broker.disk_space().ok();
    let bytes =
        |bytes: Option<u64>| bytes.map_or(UNKNOWN_BYTES, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    LogDir {
        error_code: ErrorCode::None,
        log_dir: path::absolute(broker.data_dir()).unwrap_or_default().display().to_string(),
        topics,
        total_bytes: bytes(space.map(|space| space.total)),
        usable_bytes: bytes(space.map(|space| space.free)),
    }
}

fn show(name: &str, partitions: &[Arc<Partition>]) -> LogDirTopic {
    let partitions = partitions.iter().map(|partition| {
        let bounds = partition.bounds();
        LogDirPartition {
            partition_index: partition.topic_partition().partition,
            partition_size: i64::try_from(bounds.bytes).unwrap_or(i64::MAX),
            offset_lag: bounds.log_end.get() - bounds.high_watermark.get(),
            is_future_key: false,
        }
    });
    LogDirTopic { name: name.to_owned(), partitions: partitions.collect() }
}
