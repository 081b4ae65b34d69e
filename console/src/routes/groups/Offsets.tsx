// Where a group stands in each partition, and the way to what it has not read.
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import type { GroupView } from "~/api/queries";
import { Button } from "~/ui/Button";
import { Num } from "~/ui/Num";
import { counted } from "~/ui/number";
import { Panel } from "~/ui/Panel";
import { TableFrame, type TableColumn } from "~/ui/Table";

type Committed = GroupView["offsets"][number];

/** A partition that the group reads; `offset` is absent where it has not committed yet. */
type Place = Pick<Committed, "topic" | "partition" | "end" | "lag"> & { offset?: string };

const route = getRouteApi("/groups/$group");

/** Rows before the reader asks for all. */
const FEW = 100;

export function Offsets({ group }: { group: GroupView }) {
  const { sort } = route.useSearch();
  const navigate = route.useNavigate();
  const [all, setAll] = useState(false);
  const readers = readersOf(group);
  const places = placesOf(group);
  const sorted = sort === "lag" ? places.sort((a, b) => Number(b.lag ?? -1) - Number(a.lag ?? -1)) : places;
  const shown = all ? sorted : sorted.slice(0, FEW);
  const by = (key: "lag" | undefined) => ({
    sorted: sort !== key ? undefined : key ? ("descending" as const) : ("ascending" as const),
    onSort: () => void navigate({ search: { sort: key }, replace: true, resetScroll: false }),
  });
  const columns: TableColumn<Place>[] = [
    {
      title: "Partition",
      ...by(undefined),
      cell: (each) => (
        <Link to="/topics/$topic" params={{ topic: each.topic }} search={{ tab: "consumers" }} className="data link">
          {each.topic}/{each.partition}
        </Link>
      ),
    },
    {
      title: "Read by",
      width: "22%",
      narrow: "hide",
      cell: (each) => readers.get(`${each.topic}/${each.partition}`) ?? <span className="text-ink-soft">no one</span>,
    },
    {
      title: "Committed",
      width: "5.75rem",
      align: "right",
      cell: (each) =>
        each.offset === undefined ? <span className="text-ink-soft">not yet</span> : <Num value={each.offset} />,
    },
    {
      title: "End",
      width: "6.5rem",
      align: "right",
      narrow: "hide",
      cell: (each) =>
        each.end == null && each.offset !== undefined ? (
          <span className="text-ink-soft">gone</span>
        ) : (
          <Num value={each.end} />
        ),
    },
    { title: "Lag", width: "4.5rem", align: "right", ...by("lag"), cell: (each) => <Num value={each.lag} /> },
    { title: "Unread", width: "4.5rem", align: "right", cell: (each) => <Unread at={each} /> },
  ];
  return (
    <Panel title="Offsets" note={places.length > 0 && counted(places.length, "partition")} className="mb-8">
      {places.length === 0 ? (
        <p className="py-2 text-ink-soft">No offset is committed yet: a consumer commits once it has read.</p>
      ) : (
        <>
          <TableFrame
            label="Offsets"
            columns={columns}
            rows={shown}
            rowKey={(each) => `${each.topic}/${each.partition}`}
          />
          {shown.length < sorted.length && (
            <Button className="mt-3" onClick={() => setAll(true)}>
              Show all {sorted.length}
            </Button>
          )}
        </>
      )}
    </Panel>
  );
}

/** Opens the topic at the first message that the group has not committed. */
function Unread({ at }: { at: Place }) {
  if (at.lag == null || at.lag === "0") return <span className="text-ink-soft">none</span>;
  return (
    <Link
      to="/topics/$topic"
      params={{ topic: at.topic }}
      search={{ from: "offset", partition: at.partition, offset: at.offset }}
      className="link"
      aria-label={`Unread messages of ${at.topic}/${at.partition}`}
    >
      Show
    </Link>
  );
}

/** Where the group has committed, and what its members have beside that. */
function placesOf(group: GroupView): Place[] {
  const known = new Set(group.offsets.map((each) => `${each.topic}/${each.partition}`));
  const assigned = group.members.flatMap((member) => member.assignment);
  const others = assigned.filter((each) => !known.has(`${each.topic}/${each.partition}`));
  return [...group.offsets, ...others].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
}

/** The client that has each partition. */
function readersOf(group: GroupView): Map<string, string> {
  return new Map(
    group.members.flatMap((member) =>
      member.assignment.map(({ topic, partition }) => [`${topic}/${partition}`, member.client_id] as const),
    ),
  );
}
