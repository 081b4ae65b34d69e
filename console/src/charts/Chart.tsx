/** A chart of rows, or its table twin: the same rows and columns, as text. */
import { lazy, Suspense } from "react";
import "./charts.css";
import { Button } from "../ui/Button";
import { Bars } from "./Bars";
import { BigNumber } from "./BigNumber";
import type { ChartForm, Column, Row } from "./columns";
import { RowsTable } from "./RowsTable";

const TimeSeries = lazy(() => import("./TimeSeries"));

export interface ChartProps {
  form: ChartForm;
  rows: readonly Row[];
  label: string;
  unit?: string | null;
  /** Only so many rows: the newest of a line, the first of bars. */
  last?: number | null;
  /** The moment that the rows answer for: a span of a line that goes beyond it is not over yet. */
  asOf?: string | null;
  /** One strip for each line instead of one axis for all: for values of different kinds. */
  strips?: boolean;
  height?: number;
}

export function Chart({ form, rows, label, unit, last, asOf, strips, height = 220 }: ChartProps) {
  switch (form.form) {
    case "number":
      return (
        <div className="flex flex-wrap gap-x-12 gap-y-4">
          {form.values.map((value) => (
            <div key={value}>
              {form.values.length > 1 && <p className="label">{value}</p>}
              <BigNumber value={rows[0]?.[value]} unit={unit} label={form.values.length > 1 ? value : label} />
            </div>
          ))}
        </div>
      );
    case "bar":
      return (
        <Bars rows={last ? rows.slice(0, last) : rows} by={form.by} value={form.value} unit={unit} label={label} />
      );
    case "line": {
      const groups = strips ? form.values.map((value) => [value]) : [form.values];
      return (
        <div className="space-y-5">
          {groups.map((values) => (
            <Suspense key={values.join()} fallback={<div style={{ height: height + 28 }} />}>
              <TimeSeries
                rows={rows}
                over={form.over}
                values={values}
                unit={unit}
                last={last}
                asOf={asOf}
                height={height}
                label={groups.length > 1 ? values.join() : label}
              />
            </Suspense>
          ))}
        </div>
      );
    }
  }
}

export interface TwinProps {
  form: ChartForm;
  columns: readonly Column[];
  rows: readonly Row[];
  label: string;
  last?: number | null;
}

/** What the chart shows, as a table: its columns, and as many rows. */
export function ChartTwin({ form, columns, rows, label, last }: TwinProps) {
  const names =
    form.form === "line" ? [form.over, ...form.values] : form.form === "bar" ? [form.by, form.value] : form.values;
  const shown = names.flatMap((name) => columns.find((column) => column.name === name) ?? []);
  const kept = !last ? rows : form.form === "line" ? rows.slice(-last) : rows.slice(0, last);
  return <RowsTable label={`${label}, as a table`} columns={shown} rows={kept} maxHeight="22rem" />;
}

/** Turns a chart into its table and back, where there is room for one word only. */
export function TwinButton({
  shows,
  onChange,
  of,
}: {
  shows: "chart" | "table";
  onChange: (shows: "chart" | "table") => void;
  of: string;
}) {
  return (
    <Button
      kind="bare"
      small
      className="-mr-2"
      aria-label={`${of} as a table`}
      pressed={shows === "table"}
      onClick={() => onChange(shows === "table" ? "chart" : "table")}
    >
      Table
    </Button>
  );
}

/** Chooses between a chart and its table. */
export function ChartToggle({
  shows,
  onChange,
  of,
}: {
  shows: "chart" | "table";
  onChange: (shows: "chart" | "table") => void;
  of: string;
}) {
  return (
    <div role="group" aria-label={`Show ${of} as`} className="flex gap-1">
      {(["table", "chart"] as const).map((form) => (
        <Button key={form} kind="bare" small pressed={shows === form} onClick={() => onChange(form)}>
          {form === "table" ? "Table" : "Chart"}
        </Button>
      ))}
    </div>
  );
}
