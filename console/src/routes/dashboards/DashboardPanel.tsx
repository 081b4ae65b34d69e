// One panel: a number, a line, bars or a table of one view.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { viewsQuery, type PanelSpec, type ViewLine } from "~/api/queries";
import { Chart, ChartTwin, TwinButton } from "~/charts/Chart";
import type { ChartForm, Column, Row } from "~/charts/columns";
import { counted } from "~/charts/decimal";
import { RowsTable } from "~/charts/RowsTable";
import { Panel } from "~/ui/Panel";
import { useLiveView } from "../views/follow";
import { StaleNotice } from "../views/StaleNotice";
import { useViewOrder } from "../views/useViewOrder";
import { PanelProblem, problemOf } from "./PanelProblem";

/** A head and ten rows: as high as ten bars, which often stand beside a table. */
const TABLE_HEIGHT = "20.625rem";

export function DashboardPanel({ panel }: { panel: PanelSpec }) {
  const [shows, setShows] = useState<"chart" | "table">("chart");
  const views = useQuery(viewsQuery);
  const live = useLiveView(panel.view);
  const view = views.data?.find((each) => each.name === panel.view);
  const problem = problemOf(panel, view, views.data, live);
  const hasTwin = !problem && (panel.kind === "line" || panel.kind === "bar");
  const note = (
    <span className="hidden sm:inline">
      <Link to="/views/$view" params={{ view: panel.view }} className="hover:text-ink hover:underline">
        {panel.view}
      </Link>
      {panel.kind === "table" && live.rows.length > 0 && `, ${counted(live.rows.length, "row")}`}
    </span>
  );
  return (
    <Panel
      title={panel.title}
      note={panel.kind === "number" ? undefined : note}
      actions={hasTwin && <TwinButton of={panel.title} shows={shows} onChange={setShows} />}
      className="dashboard-panel chart-frame"
    >
      {problem ? (
        <PanelProblem problem={problem} panel={panel} />
      ) : live.asOf === null || !view ? (
        <Waiting kind={panel.kind} />
      ) : (
        <>
          {live.stale && <StaleNotice {...live.stale} view={panel.view} asOf={live.stale.as_of} className="mb-3" />}
          {view.state === "building" && <PanelNote>being rebuilt; the rows are not all there yet</PanelNote>}
          <Content panel={panel} view={view} rows={live.rows} asOf={live.asOf} shows={shows} />
        </>
      )}
    </Panel>
  );
}

function PanelNote({ children }: { children: string }) {
  return (
    <p role="status" className="label mb-2 text-warn">
      {children}
    </p>
  );
}

/** Holds the room that the content will take. */
function Waiting({ kind }: { kind: PanelSpec["kind"] }) {
  return <div role="status" aria-label="Waiting for the view" className="dashboard-waiting" data-kind={kind} />;
}

interface ContentProps {
  panel: PanelSpec;
  view: ViewLine;
  rows: readonly Row[];
  asOf: string;
  shows: "chart" | "table";
}

function Content({ panel, view, rows: unordered, asOf, shows }: ContentProps) {
  const rows = useViewOrder(unordered, view);
  const form = useMemo(() => formOf(panel), [panel]);
  if (rows.length === 0 && panel.kind !== "number") {
    return <p className="py-4 text-ink-soft">No rows yet: they appear as events come.</p>;
  }
  if (!form) {
    const columns = panel.columns.flatMap((name) => view.columns.find((column) => column.name === name) ?? []);
    return (
      <RowsTable
        label={`Rows of ${panel.title}`}
        columns={columns as Column[]}
        rows={rows.slice(0, panel.last ?? rows.length)}
        reading
        maxHeight={TABLE_HEIGHT}
      />
    );
  }
  if (shows === "table")
    return <ChartTwin form={form} columns={view.columns} rows={rows} label={panel.title} last={panel.last} />;
  return <Chart form={form} rows={rows} label={panel.title} unit={panel.unit} last={panel.last} asOf={asOf} />;
}

function formOf(panel: PanelSpec): ChartForm | null {
  const [first = ""] = panel.columns;
  switch (panel.kind) {
    case "number":
      return { form: "number", values: [first] };
    case "line":
      return { form: "line", over: panel.over ?? "", values: panel.columns };
    case "bar":
      return { form: "bar", by: panel.by ?? "", value: first };
    case "table":
      return null;
  }
}
