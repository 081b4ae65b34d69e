// The same rows from a terminal.
import type { Column } from "~/charts/columns";
import { isIdentifier, kindOf } from "~/charts/columns";
import { Command } from "~/ui/Command";
import { Panel } from "~/ui/Panel";

export function ReadElsewhere({ view, columns }: { view: string; columns: readonly Column[] }) {
  const { origin, host } = window.location;
  const number = columns.find((column) => kindOf(column) === "number" && !isIdentifier(column));
  const order = number ? `?order=-${encodeURIComponent(number.name)}&limit=5` : "?limit=5";
  return (
    <Panel title="Read it elsewhere" note="rows now, and every change as it happens">
      <div className="grid grid-cols-[minmax(0,1fr)] gap-2">
        <Command label="curl for rows" text={`curl '${origin}/api/v1/views/${view}${order}'`} />
        <Command label="curl for changes" text={`curl -N '${origin}/api/v1/views/${view}/changes'`} />
        <Command label="factum view get" text={`factum view get ${view} --server ${host}`} />
        <Command label="factum view watch" text={`factum view watch ${view} --server ${host}`} />
      </div>
    </Panel>
  );
}
