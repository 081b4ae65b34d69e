// How a topic is set up: what is set, where its records lie; and what changes it.
import { useState } from "react";
import type { TopicView } from "../../api/queries";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Command } from "../../ui/Command";
import { Num } from "../../ui/Num";
import { bytes } from "../../ui/number";
import { Panel } from "../../ui/Panel";
import { TableFrame, type TableColumn } from "../../ui/Table";
import { ChangeSetting } from "./ChangeSetting";
import { DeleteDialog } from "./DeleteDialog";
import { SETTINGS } from "./settingNames";

type Partition = TopicView["partitions"][number];

export function Settings({ topic }: { topic: TopicView }) {
  const change = `curl -X PATCH ${location.origin}/api/v1/topics/${topic.name} \\\n  -H 'content-type: application/json' \\\n  -d '{"config":{"retention":"30d"}}'`;
  const [deleting, setDeleting] = useState(false);
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
      </Panel>
      <div className="min-w-0 space-y-9">
        {!topic.internal && (
          <Panel title="Change a setting">
            <ChangeSetting topic={topic} />
            <p className="label mt-3 mb-1.5">
              {topic.team
                ? "What the event's file in the project says is applied again when the project changes. As a command:"
                : "As a command, in which null goes back to the server's default:"}
            </p>
            <Command label="command that changes a setting" text={change} />
          </Panel>
        )}
        <Panel title="Partitions">
          <TableFrame
            label="Partitions"
            columns={PARTITION_COLUMNS}
            rows={topic.partitions}
            rowKey={(each) => String(each.partition)}
          />
        </Panel>
        {!topic.internal && (
          <Panel
            title="Delete the topic"
            note="with all its events"
            actions={
              <Button small onClick={() => setDeleting(true)}>
                Delete …
              </Button>
            }
          >
            {deleting && <DeleteDialog topic={topic} onClose={() => setDeleting(false)} />}
          </Panel>
        )}
      </div>
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
