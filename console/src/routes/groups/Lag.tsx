// How the lag of a group went over the last hour, as the server sampled it.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { groupLagQuery, type LagHistory } from "~/api/queries";
import { Chart, ChartTwin, TwinButton } from "~/charts/Chart";
import type { ChartForm, Column, Row } from "~/charts/columns";
import { ErrorState } from "~/ui/ErrorState";
import { duration } from "~/ui/number";
import { Panel } from "~/ui/Panel";

/** A line for each topic up to here; of more, their sum alone. */
const LINES = 6;
/** The column of times; no topic has a blank in its name. */
const TIME = "sampled at";

export function Lag({ group }: { group: string }) {
  const history = useQuery(groupLagQuery(group));
  const [shows, setShows] = useState<"chart" | "table">("chart");
  const { rows, names } = useMemo(() => rowsOf(history.data), [history.data]);
  const form: ChartForm = { form: "line", over: TIME, values: names };
  const columns: Column[] = [{ name: TIME, type: "timestamp" }, ...names.map((name) => ({ name, type: "bigint" }))];
  const interval = history.data?.interval_seconds ?? 15;
  const note = `events behind, sampled every ${duration(interval)}`;
  return (
    <Panel
      title="Lag over the last hour"
      note={note}
      className="mb-8"
      actions={rows.length > 1 && <TwinButton of="Lag" shows={shows} onChange={setShows} />}
    >
      {history.data === undefined ? (
        history.error ? (
          <ErrorState error={history.error} onRetry={() => void history.refetch()} />
        ) : (
          <div className="h-[12rem]" />
        )
      ) : rows.length < 2 ? (
        <p className="py-2 text-ink-soft">
          {rows.length === 0 ? "No sample of this group yet" : "One sample so far"}: the server takes one every{" "}
          {duration(interval)} of each group that has committed offsets, 1 000 groups and topics at most.
        </p>
      ) : shows === "chart" ? (
        <Chart form={form} rows={rows} label={`Lag of ${group}`} height={170} />
      ) : (
        <ChartTwin form={form} columns={columns} rows={rows} label={`Lag of ${group}`} />
      )}
    </Panel>
  );
}

/** One row for each time, with the lag in each topic. */
function rowsOf(history: LagHistory | undefined): { rows: Row[]; names: string[] } {
  const topics = history?.topics ?? [];
  const isSum = topics.length > LINES;
  const byTime = new Map<string, Row>();
  for (const { topic, samples } of topics) {
    for (const { at, lag } of samples) {
      const row = byTime.get(at) ?? { [TIME]: at };
      const name = isSum ? "all topics" : topic;
      row[name] = isSum ? String(BigInt((row[name] as string | undefined) ?? 0) + BigInt(lag)) : lag;
      byTime.set(at, row);
    }
  }
  const rows = [...byTime.values()].sort((a, b) => String(a[TIME]).localeCompare(String(b[TIME])));
  return { rows, names: isSum ? ["all topics"] : topics.map(({ topic }) => topic) };
}
