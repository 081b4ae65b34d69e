/**
 * Rows as a table: of a view, of a query's answer, or as the twin of a chart.
 *
 * Invariants
 * - Values stand there as the server wrote them, to the last digit. `reading` groups digits and fills decimals up.
 * - Decimal points stand below each other: what a number lacks in decimals is filled with invisible ones.
 * - Columns only ever grow wider while they are shown, so a live table does not twitch.
 */
import { useRef } from "react";
import { DataTable, type Column as TableColumn } from "../ui/DataTable";
import { asText } from "./cell";
import { isIdentifier, kindOf, type Column, type Row } from "./columns";
import { decimals, formatNumber, isNumeric } from "./decimal";

export interface RowsTableProps {
  label: string;
  columns: readonly Column[];
  rows: readonly Row[];
  /** The column that the rows are sorted by, and what sorts them otherwise. */
  sort?: { column: string; descending: boolean } | null;
  onSort?: (column: string) => void;
  height?: string;
  maxHeight?: string;
  /** Set to be read rather than to be taken further. */
  reading?: boolean;
}

/** Rows whose values decide how wide a column is. */
const SAMPLE = 200;
/** Widths in rem: of a character as data, as text and in a head, of what is around a value, and of the widest column. */
const CHARACTER = 0.49;
const LETTER = 0.44;
const HEAD_LETTER = 0.42;
const PADDING = 1.05;
const SORT_ARROW = 0.75;
const WIDEST = 22;
/** Long text may be cut a little before a table has to be scrolled sideways. */
const SHRINK = 0.75;
const LONG = 8;
/** A table is at most so many times as wide as it needs to be: the eye is to find the way across. */
const SPREAD = 4;

interface Measure {
  width: number;
  decimals: number;
}

export function RowsTable({ label, columns, rows, sort, onSort, height, maxHeight = "60vh", reading }: RowsTableProps) {
  const measures = useRef(new Map<string, Measure>());
  measure(measures.current, columns, rows);
  const shown = columns.map((column) => tableColumn(column, measures.current, sort, onSort, reading));
  const wanted = columns.reduce((sum, column) => sum + widthOf(measures.current, column), 0);
  const least = columns.reduce((sum, column) => sum + leastOf(column, widthOf(measures.current, column)), 0);
  return (
    <div style={{ maxWidth: `${(wanted * SPREAD).toFixed(1)}rem` }}>
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
    const known = measures.get(column.name) ?? { width: column.name.length * HEAD_LETTER + SORT_ARROW, decimals: 0 };
    for (const row of rows.slice(0, SAMPLE)) {
      const letter = kindOf(column) === "text" ? LETTER : CHARACTER;
      known.width = Math.max(known.width, asText(row[column.name]).length * letter);
      if (kindOf(column) === "number") known.decimals = Math.max(known.decimals, decimals(row[column.name]));
    }
    measures.set(column.name, known);
  }
}

function widthOf(measures: ReadonlyMap<string, Measure>, column: Column): number {
  return Math.min((measures.get(column.name)?.width ?? 0) + PADDING, WIDEST);
}

function leastOf(column: Column, width: number): number {
  const mayShrink = kindOf(column) === "text" || kindOf(column) === "nested";
  return mayShrink && width > LONG ? Math.max(LONG, width * SHRINK) : width;
}

function tableColumn(
  column: Column,
  measures: ReadonlyMap<string, Measure>,
  sort: RowsTableProps["sort"],
  onSort: RowsTableProps["onSort"],
  reading = false,
): TableColumn<Row> {
  const width = widthOf(measures, column);
  const places = measures.get(column.name)?.decimals ?? 0;
  // A number that names something stands like a name.
  const isAmount = kindOf(column) === "number" && !isIdentifier(column);
  const direction = sort?.column !== column.name ? "none" : sort.descending ? "descending" : "ascending";
  return {
    key: column.name,
    title: column.name,
    align: isAmount ? "right" : "left",
    width: `minmax(${leastOf(column, width).toFixed(1)}rem, ${(width * (kindOf(column) === "text" ? 2 : 1)).toFixed(1)}fr)`,
    sort: onSort && { direction, toggle: () => onSort(column.name) },
    cell: (row) => <Cell value={row[column.name]} column={column} decimals={places} grouped={reading && isAmount} />,
  };
}

interface CellProps {
  value: unknown;
  column: Column;
  /** Those of the value in this column that has most. */
  decimals: number;
  grouped: boolean;
}

function Cell({ value, column, decimals: most, grouped }: CellProps) {
  if (value === null || value === undefined) return <span className="text-ink-soft italic">null</span>;
  const text = asText(value);
  const kind = kindOf(column);
  if (kind === "number" && isNumeric(value)) {
    if (grouped) return <span className="data">{formatNumber(value, { least: most })}</span>;
    const missing = most - decimals(value);
    return (
      <span className="data">
        {text}
        {missing > 0 && <Filler places={missing} withPoint={missing === most} />}
      </span>
    );
  }
  return (
    <span className={kind === "text" ? undefined : "data"} title={text.length > 20 ? text : undefined}>
      {text}
    </span>
  );
}

/** Room for decimals that are not there. */
function Filler({ places, withPoint }: { places: number; withPoint: boolean }) {
  return <span aria-hidden="true" className="inline-block" style={{ width: `${places + (withPoint ? 1 : 0)}ch` }} />;
}
