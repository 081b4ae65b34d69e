// The settings of a topic, and what each does.
import type { TopicView } from "../../api/queries";

export type SettingName = Exclude<keyof TopicView["config"], "without_effect">;

export const SETTINGS: { name: SettingName; means: string; example: string }[] = [
  { name: "retention", means: "how long events are kept", example: "7d" },
  { name: "retention_bytes", means: "size above which a partition drops its oldest segment", example: "1GiB" },
  { name: "segment_bytes", means: "size at which a new segment begins", example: "128MiB" },
  { name: "segment_age", means: "age at which a new segment begins", example: "1d" },
  { name: "max_message_bytes", means: "the largest batch taken", example: "1MiB" },
  { name: "cleanup_policy", means: "what becomes of old events", example: "compact" },
  { name: "delete_retention", means: "how long a compacted topic keeps tombstones", example: "1d" },
  { name: "min_compaction_lag", means: "how old an event becomes before it is compacted", example: "0s" },
  { name: "max_compaction_lag", means: "how old an event may become before it is compacted", example: "forever" },
  { name: "min_dirty_ratio", means: "part that is not compacted yet before it is compacted again", example: "0.5" },
  { name: "compression", means: "how events are compressed in the log", example: "zstd" },
  { name: "timestamp_type", means: "whose clock an event's timestamp is by", example: "LogAppendTime" },
  { name: "timestamp_before_max", means: "how old a timestamp may be", example: "forever" },
  { name: "timestamp_after_max", means: "how far ahead a timestamp may be", example: "1h" },
];
