// Values of rows that cannot be computed, each with its row and the reason; the other rows are served.
import { writeJson, type Json } from "~/api/json";
import { counted } from "~/charts/decimal";
import { Panel } from "~/ui/Panel";
import type { RowError } from "./freshness";

/** The server names no more than this. */
const MOST = 100;

export function RowErrors({ errors, className }: { errors: readonly RowError[]; className?: string }) {
  if (errors.length === 0) return null;
  const count = errors.length >= MOST ? "the first 100 values" : counted(errors.length, "value");
  return (
    <Panel title="Values that cannot be computed" note={`${count}, null in the rows`} className={className}>
      <ul className="max-h-72 overflow-y-auto" tabIndex={0} aria-label="Values that cannot be computed">
        {errors.map(({ view, key, column, reason }, index) => (
          <li key={index} className="border-b border-rule py-1.5 break-words">
            <code className="data text-ink">{column}</code> of{" "}
            <code className="data text-ink">{writeJson(key as Json)}</code> in {view}:{" "}
            <span className="text-bad">{reason}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
