/**
 * Rows as a table: of a view, of a query's answer, or as the twin of a chart.
 *
 * Always holds
 * - Values stand there as the server wrote them, to the last digit.
 * - Decimal points stand below each other: what a number lacks in decimals is filled with invisible ones.
 * - Columns only ever grow wider while they are shown, so a live table does not twitch.
 */
import { useRef } from "react";
import { DataTable, type Column as TableColumn } from "../ui/DataTable";
import { asText } from "./cell";
import { isIdentifier, kindOf, type Column, type Row } from "./columns";
import { decimals, isNumeric } from "./decimal";

export interface RowsTableProps {
  label: string;
  columns: readonly Column[];
  rows: readonly Row[];
  /** The column that the rows are sorted by, and what sorts them otherwise. */
  sort?: { column: string; descending: boolean } | null;
  onSort?: (column: string) => void;
  height?: string;
  maxHeight?: string;
}

/** Rows whose values decide how wide a column is. */
const SAMPLE = 200;
const CHARACTER = 0.5;
const PADDING = 1.1;
const WIDEST = 22;
/** A table is at most so many times as wide as it needs to be: the eye is to find the way across. */
const SPREAD = 2.2;

interface Measure {
  characters: number;
  decimals: number;
}

export function RowsTable({ label, columns, rows, sort, onSort, height, maxHeight = "60vh" }: RowsTableProps) {
  const measures = useRef(new Map<string, Measure>());
  measure(measures.current, columns, rows);
  const shown = columns.map((column) => tableColumn(column, measures.current.get(column.name), sort, onSort));
  const least = columns.reduce((sum, column) => sum + narrowest(measures.current.get(column.name)), 0);
  return (
    <div style={{ maxWidth: `${(least * SPREAD).toFixed(1)}rem` }}>
      <DataTable
        label={label}
        columns={shown}
        rows={rows}
        rowKey={(_, index) => String(index)}
        height={height}
        maxHeight={maxHeight}
        minWidth={`${least.toFixed(1)}rem`}
        rowHeight={30}
      />
    </div>
  );
}

function measure(measures: Map<string, Measure>, columns: readonly Column[], rows: readonly Row[]): void {
  for (const column of columns) {
    const known = measures.get(column.name) ?? { characters: column.name.length + 2, decimals: 0 };
    for (const row of rows.slice(0, SAMPLE)) {
      known.characters = Math.max(known.characters, asText(row[column.name]).length);
      if (kindOf(column) === "number") known.decimals = Math.max(known.decimals, decimals(row[column.name]));
    }
    measures.set(column.name, known);
  }
}

function narrowest(measure: Measure | undefined): number {
  return Math.min((measure?.characters ?? 6) * CHARACTER + PADDING, WIDEST);
}

function tableColumn(
  column: Column,
  measure: Measure | undefined,
  sort: RowsTableProps["sort"],
  onSort: RowsTableProps["onSort"],
): TableColumn<Row> {
  const width = narrowest(measure);
  // A number that names something stands like a name.
  const isAmount = kindOf(column) === "number" && !isIdentifier(column);
  const direction = sort?.column !== column.name ? "none" : sort.descending ? "descending" : "ascending";
  return {
    key: column.name,
    title: column.name,
    align: isAmount ? "right" : "left",
    width: `minmax(${width.toFixed(1)}rem, ${(width * (kindOf(column) === "text" ? 2 : 1)).toFixed(1)}fr)`,
    sort: onSort && { direction, toggle: () => onSort(column.name) },
    cell: (row) => <Cell value={row[column.name]} column={column} decimals={measure?.decimals ?? 0} />,
  };
}

function Cell({ value, column, decimals: most }: { value: unknown; column: Column; decimals: number }) {
  if (value === null || value === undefined) return <span className="text-ink-soft italic">null</span>;
  const text = asText(value);
  const kind = kindOf(column);
  if (kind === "number" && isNumeric(value)) {
    const missing = most - decimals(value);
    return (
      <span className="data">
        {text}
        {missing > 0 && <Filler places={missing} withPoint={missing === most} />}
      </span>
    );
  }
  return (
    <span className={kind === "text" ? undefined : "data"} title={text.length > 40 ? text : undefined}>
      {text}
    </span>
  );
}

/** Room for decimals that are not there. */
function Filler({ places, withPoint }: { places: number; withPoint: boolean }) {
  return <span aria-hidden="true" className="inline-block" style={{ width: `${places + (withPoint ? 1 : 0)}ch` }} />;
}
