// Who is in a group, from where, and which partitions each has.
import type { GroupView } from "~/api/queries";
import { counted } from "~/ui/number";
import { Panel } from "~/ui/Panel";
import { TableFrame, type TableColumn } from "~/ui/Table";

type Member = GroupView["members"][number];

export function Members({ group }: { group: GroupView }) {
  const { members } = group;
  return (
    <Panel title="Members" note={members.length > 0 && counted(members.length, "member")}>
      {members.length === 0 ? (
        <p className="py-2 text-ink-soft">No one is in the group at this moment.</p>
      ) : (
        <TableFrame label="Members" columns={COLUMNS} rows={members} rowKey={(each) => each.id} />
      )}
    </Panel>
  );
}

const COLUMNS: TableColumn<Member>[] = [
  {
    title: "Client",
    cell: (each) => (
      <>
        <span className="data">{each.client_id || <span className="text-ink-soft">no client id</span>}</span>
        <span className="label block break-all">{each.id}</span>
      </>
    ),
  },
  { title: "Host", width: "9rem", narrow: "hide", cell: (each) => <span className="data">{each.client_host}</span> },
  { title: "Partitions", width: "45%", cell: (each) => <Assignment member={each} /> },
];

function Assignment({ member }: { member: Member }) {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of member.assignment) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  if (topics.size === 0) return <span className="text-ink-soft">none</span>;
  return (
    <ul>
      {[...topics].map(([topic, partitions]) => (
        <li key={topic} className="data break-words">
          {topic}/{ranges(partitions)}
        </li>
      ))}
    </ul>
  );
}

/** `0, 1, 2, 5` → `0–2, 5`. */
export function ranges(numbers: number[]): string {
  const runs: [number, number][] = [];
  for (const each of [...numbers].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && each === last[1] + 1) last[1] = each;
    else runs.push([each, each]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}
