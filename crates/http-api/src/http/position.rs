//! Positions in a topic, as offsets of its partitions.

use factum_eventlog::{EventLog, PartitionBounds, Position, ReadError};
use factum_types::{Offset, Timestamp, TopicPartition, TopicPosition};

/// The offset that `position` names in a partition with these `bounds`, `now` being what times are counted from. An offset
/// that is named itself may lie outside the bounds; a time past the last record is the end.
///
/// # Errors
/// [`ReadError`].
pub(crate) async fn resolve(
    log: &dyn EventLog,
    partition: &TopicPartition,
    bounds: &PartitionBounds,
    position: TopicPosition,
    now: Timestamp,
) -> Result<Offset, ReadError> {
    let position = match position {
        TopicPosition::Earliest => Position::Earliest,
        TopicPosition::Latest => Position::Latest,
        TopicPosition::Time(time) => Position::Time(time),
        TopicPosition::Ago(ago) => Position::Time(now.minus(ago)),
        TopicPosition::Offset(offset) => return Ok(offset),
        TopicPosition::BeforeEnd(records) => {
            let back = bounds.high_watermark.get().saturating_sub_unsigned(records);
            return Ok(Offset::new(back.max(bounds.log_start.get())));
        }
    };
    log.offset_of(partition, position).await
}
