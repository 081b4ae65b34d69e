// A view's rows as they change: sorted, searched, as a table or as a chart; and what they are not.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useDeferredValue, useMemo } from "react";
import { Problem } from "~/api/problem";
import { viewsQuery, type PipelineView } from "~/api/queries";
import { Chart, ChartToggle } from "~/charts/Chart";
import { asText } from "~/charts/cell";
import { chartFor, type Column, type Row } from "~/charts/columns";
import { counted, formatNumber } from "~/charts/decimal";
import { RowsTable } from "~/charts/RowsTable";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { TextField } from "~/ui/Field";
import { Loading } from "~/ui/Loading";
import { Notice } from "~/ui/Notice";
import { Panel } from "~/ui/Panel";
import { AsOf, clock } from "./AsOf";
import { useLiveView } from "./follow";
import { freshnessQuery, isBehind, type Freshness } from "./freshness";
import type { LiveState } from "./liveView";
import { orderOf, parseSort, sortRows } from "./order";
import { RowErrors } from "./RowErrors";
import { RejectedNotice } from "./RejectedNotice";
import { nextSort } from "./search";
import { BuildingNotice, StaleNotice } from "./StaleNotice";

const route = getRouteApi("/views/$view");

export function ViewRows({ view }: { view: PipelineView }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const live = useLiveView(view.name);
  const freshness = useQuery(freshnessQuery(view.name, live.asOf !== null)).data;
  const { rows, sort } = useArranged(live.rows, view, search.sort, search.q);
  const form = useMemo(() => chartFor(view.columns), [view.columns]);
  const shows = form && search.show === "chart" ? "chart" : "table";
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (now) => ({ ...now, ...next }), replace: true, resetScroll: false });
  return (
    <>
      <Notices view={view} live={live} freshness={freshness} />
      <Panel
        title="Rows"
        note={<Count live={live} shown={rows.length} />}
        actions={
          <>
            <TextField
              label="Filter rows"
              hideLabel
              type="search"
              placeholder="Filter rows"
              className="w-40"
              value={search.q ?? ""}
              onChange={(event) => change({ q: event.target.value || undefined })}
            />
            {form && (
              <ChartToggle
                of="rows"
                shows={shows}
                onChange={(next) => change({ show: next === "chart" ? "chart" : undefined })}
              />
            )}
          </>
        }
        className="mb-8"
      >
        <Content live={live} view={view} rows={rows} isFiltered={Boolean(search.q)}>
          {shows === "chart" && form ? (
            <div className="chart-frame pt-1">
              <Chart form={form} rows={rows} label={view.name} asOf={live.asOf} strips />
            </div>
          ) : (
            <RowsTable
              label={`Rows of ${view.name}`}
              columns={view.columns}
              rows={rows}
              sort={sort}
              onSort={(column) => change({ sort: nextSort(search.sort, column) })}
            />
          )}
        </Content>
      </Panel>
      <RowErrors errors={freshness?.errors ?? []} className="mb-8" />
    </>
  );
}

/** What keeps the rows from being those of now, and what soon will. */
function Notices({ view, live, freshness }: { view: PipelineView; live: LiveState; freshness: Freshness | undefined }) {
  const rowLimit = useQuery(viewsQuery).data?.find((each) => each.name === view.name)?.row_limit;
  const { stale, asOf } = live;
  return (
    <div className="mb-6 grid gap-3 empty:mb-0">
      {stale && asOf !== null ? (
        <StaleNotice {...stale} view={view.name} asOf={stale.as_of} />
      ) : view.state === "building" ? (
        <BuildingNotice progress={view.progress} hasRows={live.rows.length > 0} />
      ) : (
        freshness &&
        isBehind(freshness, Date.now()) && (
          <Notice title="The view is behind">
            Its rows are as of <span className="figures">{clock(freshness.as_of)}</span> and{" "}
            {counted(freshness.lag, "event")} behind.
          </Notice>
        )
      )}
      <RejectedNotice view={view} />
      {rowLimit && <Notice title="The limit of rows">{rowLimit.charAt(0).toUpperCase() + rowLimit.slice(1)}.</Notice>}
    </div>
  );
}

function useArranged(all: readonly Row[], view: PipelineView, sort: string | undefined, q: string | undefined) {
  const columns: readonly Column[] = view.columns;
  const own = useMemo(() => orderOf(view.sql, columns), [view.sql, columns]);
  const asked = useMemo(() => parseSort(sort ?? "", columns), [sort, columns]);
  const wanted = useDeferredValue(q?.toLowerCase());
  const rows = useMemo(() => {
    const found = wanted
      ? all.filter((row) => columns.some(({ name }) => asText(row[name]).toLowerCase().includes(wanted)))
      : all;
    return sortRows(found, asked.length > 0 ? [...asked, ...own] : own, columns);
  }, [all, wanted, asked, own, columns]);
  return { rows, sort: asked[0] ?? null };
}

function Count({ live, shown }: { live: LiveState; shown: number }) {
  if (live.asOf === null) return null;
  const all = live.rows.length;
  return (
    <>
      <span className="figures">
        {shown === all ? "" : `${formatNumber(shown)} of `}
        {counted(all, "row")}
      </span>
      <span className="ml-3">
        <AsOf live={live} />
      </span>
    </>
  );
}

interface ContentProps {
  live: LiveState;
  view: PipelineView;
  rows: readonly Row[];
  isFiltered: boolean;
  children: React.ReactNode;
}

function Content({ live, view, rows, isFiltered, children }: ContentProps) {
  if (live.phase === "refused" && live.refusal) return <Refused live={live} view={view} />;
  if (live.asOf === null)
    return <Loading what={live.phase === "interrupted" ? "Waiting for the server …" : "Reading the rows …"} />;
  if (rows.length > 0) return children;
  if (isFiltered && live.rows.length > 0) {
    return (
      <EmptyState title="No row holds that.">Clear the filter to see all {formatNumber(live.rows.length)}.</EmptyState>
    );
  }
  return (
    <EmptyState title="No rows yet.">
      <p>
        The view is live; rows appear here as soon as events bring some. Send one to {view.depends_on[0] ?? "its topic"}{" "}
        and watch.
      </p>
    </EmptyState>
  );
}

function Refused({ live, view }: { live: LiveState; view: PipelineView }) {
  if (view.state === "waiting") {
    return (
      <EmptyState title="Waiting for its first event.">
        <p>{view.reason ?? live.refusal?.detail}</p>
      </EmptyState>
    );
  }
  const error = new Problem(live.refusal?.status ?? 0, "", live.refusal?.title ?? "", live.refusal?.detail ?? "");
  return (
    <ErrorState error={error} title="The rows cannot be followed">
      <p className="mt-1">
        A part of them can be read in the{" "}
        <Link to="/sql" search={{ q: `SELECT *\nFROM ${view.name}\nLIMIT 1000` }} className="link">
          SQL box
        </Link>
        .
      </p>
    </ErrorState>
  );
}
