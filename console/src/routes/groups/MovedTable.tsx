// From where to where a reset moves a group, partition by partition.
import type { Schemas } from "~/api/client";
import { Num } from "~/ui/Num";
import { grouped } from "~/ui/number";
import { TableFrame, type TableColumn } from "~/ui/Table";

type Moved = Schemas["MovedOffset"];

export function MovedTable({ moved }: { moved: Moved[] }) {
  return (
    <section aria-label="Preview" className="mt-4">
      <div tabIndex={0} role="region" aria-label="Offsets that move" className="max-h-64 overflow-y-auto">
        <TableFrame
          label="From where to where"
          columns={COLUMNS}
          rows={moved}
          rowKey={(each) => `${each.topic}/${each.partition}`}
        />
      </div>
      <p className="label figures mt-2">{inWords(moved)}</p>
    </section>
  );
}

const COLUMNS: TableColumn<Moved>[] = [
  {
    title: "Partition",
    cell: (each) => (
      <span className="data break-all">
        {each.topic}/{each.partition}
      </span>
    ),
  },
  { title: "From", width: "20%", align: "right", cell: (each) => <Num value={each.from} /> },
  { title: "To", width: "20%", align: "right", cell: (each) => <Num value={each.to} /> },
  { title: "Change", width: "20%", align: "right", cell: (each) => <Num value={changeOf(each)} /> },
];

function changeOf({ from, to }: Moved): string | null {
  if (from == null) return null;
  const by = BigInt(to) - BigInt(from);
  return by > 0n ? `+${by}` : String(by);
}

/** What the members will notice. */
function inWords(moved: Moved[]): string {
  const known = moved.filter((each) => each.from != null).map((each) => BigInt(each.to) - BigInt(each.from!));
  const again = known.filter((by) => by < 0n).reduce((sum, by) => sum - by, 0n);
  const skipped = known.filter((by) => by > 0n).reduce((sum, by) => sum + by, 0n);
  const parts = [
    ...(again > 0n ? [`${grouped(again)} read again`] : []),
    ...(skipped > 0n ? [`${grouped(skipped)} skipped`] : []),
  ];
  return parts.length === 0 ? "Nothing is read again or skipped." : `Offsets: ${parts.join(", ")}.`;
}
