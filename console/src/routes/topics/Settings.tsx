// How a topic is set up: what is set, where its records lie, and the command that changes it.
import type { TopicView } from "../../api/queries";
import { Badge } from "../../ui/Badge";
import { Command } from "../../ui/Command";
import { Num } from "../../ui/Num";
import { bytes } from "../../ui/number";
import { Panel } from "../../ui/Panel";
import { TableFrame, type TableColumn } from "../../ui/Table";

type Partition = TopicView["partitions"][number];

const SETTINGS: { name: Exclude<keyof TopicView["config"], "without_effect">; means: string }[] = [
  { name: "retention", means: "how long events are kept" },
  { name: "retention_bytes", means: "size above which a partition drops its oldest segment" },
  { name: "segment_bytes", means: "size at which a new segment begins" },
  { name: "segment_age", means: "age at which a new segment begins" },
  { name: "max_message_bytes", means: "the largest batch taken" },
  { name: "cleanup_policy", means: "what becomes of old events" },
  { name: "delete_retention", means: "how long a compacted topic keeps tombstones" },
  { name: "min_compaction_lag", means: "how old an event becomes before it is compacted" },
  { name: "max_compaction_lag", means: "how old an event may become before it is compacted" },
  { name: "min_dirty_ratio", means: "part that is not compacted yet before it is compacted again" },
  { name: "compression", means: "how events are compressed in the log" },
  { name: "timestamp_type", means: "whose clock an event's timestamp is by" },
  { name: "timestamp_before_max", means: "how old a timestamp may be" },
  { name: "timestamp_after_max", means: "how far ahead a timestamp may be" },
];

export function Settings({ topic }: { topic: TopicView }) {
  const change = `curl -X PATCH ${location.origin}/api/v1/topics/${topic.name} \\\n  -H 'content-type: application/json' \\\n  -d '{"config":{"retention":"30d"}}'`;
  return (
    <div className="grid gap-x-10 gap-y-9 lg:grid-cols-2">
      <Panel title="Settings">
        <dl className="border-t border-rule">
          {SETTINGS.map(({ name, means }) => (
            <div key={name} className="flex items-baseline justify-between gap-4 border-b border-rule py-2">
              <dt>
                <span className="data">{name}</span>
                <span className="label block">{means}</span>
              </dt>
              <dd className="data text-right whitespace-nowrap">
                {topic.config[name] ?? <span className="text-ink-soft">server default</span>}
              </dd>
            </div>
          ))}
          <div className="flex items-baseline justify-between gap-4 border-b border-rule py-2">
            <dt className="data">id</dt>
            <dd className="data min-w-0 text-right break-all">{topic.id}</dd>
          </div>
        </dl>
        <h3 className="mt-5 mb-1.5">Change a setting</h3>
        <Command label="command that changes a setting" text={change} />
        <p className="label mt-1.5">
          {topic.team
            ? "What the event's file in the project says is applied again when the project changes."
            : "null goes back to the server's default."}
        </p>
      </Panel>
      <Panel title="Partitions">
        <TableFrame
          label="Partitions"
          columns={PARTITION_COLUMNS}
          rows={topic.partitions}
          rowKey={(each) => String(each.partition)}
        />
      </Panel>
    </div>
  );
}

const PARTITION_COLUMNS: TableColumn<Partition>[] = [
  {
    title: "Partition",
    cell: (each) => (
      <span className="figures">
        {each.partition} {!each.is_writable && <Badge tone="bad">takes no writes</Badge>}
      </span>
    ),
  },
  { title: "Log start", width: "4.75rem", align: "right", cell: (each) => <Num value={each.log_start} /> },
  { title: "End", width: "5rem", align: "right", cell: (each) => <Num value={each.high_watermark} /> },
  { title: "Size", width: "5.5rem", align: "right", cell: (each) => <Num value={each.bytes} format={bytes} /> },
];
