// What a view is made of: its statement, its columns, and how its pipeline does.
import { Link } from "@tanstack/react-router";
import { counted, formatNumber } from "~/charts/decimal";
import type { PipelineView } from "~/api/queries";
import { CopyButton } from "~/ui/Command";
import { bytes, rate } from "~/ui/number";
import { Panel } from "~/ui/Panel";
import { Time } from "~/ui/Time";
import { ReadElsewhere } from "./ReadElsewhere";
import { DeadLetterLink, type Rejecting } from "./RejectedNotice";
import { Facts, Fact } from "../pipelines/Facts";
import { SqlText } from "../pipelines/SqlText";

export function ViewFacts({ view }: { view: PipelineView }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-x-10 gap-y-8 md:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <div className="space-y-8">
        <Panel title="Statement" actions={<CopyButton text={view.sql} label="Copy the statement" />}>
          <SqlText text={view.sql} label={`The statement of ${view.name}`} />
        </Panel>
        <ReadElsewhere view={view.name} columns={view.columns} />
      </div>
      <div className="min-w-0 space-y-8">
        <Columns columns={view.columns} />
        <Panel
          title="Pipeline"
          actions={
            <Link to="/pipelines/$pipeline" params={{ pipeline: view.name }} className="link">
              Open
            </Link>
          }
        >
          <Facts>
            <Fact name="Behind its topics">{counted(view.lag, "event")}</Fact>
            <Fact name="Takes in">{rate(view.rate)} events/s</Fact>
            <Fact name="State in memory">{bytes(view.state_bytes)}</Fact>
            {view.watermark && (
              <Fact name="Watermark">
                <Time at={view.watermark} />
              </Fact>
            )}
            <DeadLetters view={view} />
            {view.late !== "0" && <Fact name="Late, left out">{counted(view.late, "row")}</Fact>}
            {view.last_error && <Fact name="Last error">{view.last_error}</Fact>}
          </Facts>
        </Panel>
      </div>
    </div>
  );
}

function Columns({ columns }: { columns: PipelineView["columns"] }) {
  if (columns.length === 0) return null;
  return (
    <Panel title="Columns">
      <Facts>
        {columns.map((column) => (
          <Fact key={column.name} name={<span className="data text-ink">{column.name}</span>}>
            <span className="text-ink-soft">
              {column.type}
              {column.nullable ? " or null" : ""}
            </span>
          </Fact>
        ))}
      </Facts>
    </Panel>
  );
}

/** Events that could not be taken in, and where they are. */
export function DeadLetters({ view }: { view: Rejecting }) {
  return (
    <Fact name="Dead letters">
      {view.poisoned === "0" ? (
        "none"
      ) : (
        <>
          {formatNumber(view.poisoned)} in <DeadLetterLink view={view} />
        </>
      )}
    </Fact>
  );
}
