// The same rows from a terminal.
import type { Column } from "~/charts/columns";
import { isIdentifier, kindOf } from "~/charts/columns";
import { Command } from "~/ui/Command";
import { Panel } from "~/ui/Panel";

/** Where the command line looks without being told. */
const KNOWN = ["127.0.0.1:8080", "localhost:8080"];

export function ReadElsewhere({ view, columns }: { view: string; columns: readonly Column[] }) {
  const { origin, host } = window.location;
  const server = KNOWN.includes(host) ? "" : ` --server ${host}`;
  const number = columns.find((column) => kindOf(column) === "number" && !isIdentifier(column));
  const order = number ? `?order=-${encodeURIComponent(number.name)}&limit=5` : "?limit=5";
  return (
    <Panel title="Read it elsewhere" note="rows now, and every change as it happens">
      <div className="grid grid-cols-[minmax(0,1fr)] gap-2">
        <Command label="curl for rows" text={`curl '${origin}/api/v1/views/${view}${order}'`} />
        <Command label="curl for changes" text={`curl -N '${origin}/api/v1/views/${view}/changes'`} />
        <Command label="factum view get" text={`factum view get ${view}${server}`} />
        <Command label="factum view watch" text={`factum view watch ${view}${server}`} />
      </div>
    </Panel>
  );
}
