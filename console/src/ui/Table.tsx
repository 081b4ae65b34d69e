// A plain table for lists that fit on a page: hairlines, numbers at the right, headings that sort.
import type { ReactNode } from "react";

export interface TableColumn<Row> {
  title: string;
  cell: (row: Row) => ReactNode;
  align?: "right";
  /** The first column takes what the others leave. */
  width?: string;
  /** Whether the column is left out where the window is narrow. */
  narrow?: "hide";
  sorted?: "ascending" | "descending";
  onSort?: () => void;
}

interface TableFrameProps<Row> {
  label: string;
  columns: TableColumn<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
}

export function TableFrame<Row>({ label, columns, rows, rowKey }: TableFrameProps<Row>) {
  const hidden = (column: TableColumn<Row>) => (column.narrow === "hide" ? "max-md:hidden" : "");
  const side = (column: TableColumn<Row>) => (column.align === "right" ? "text-right" : "text-left");
  return (
    <table aria-label={label} className="w-full table-fixed">
      <thead>
        <tr className="label border-b border-rule-strong/60">
          {columns.map((column) => (
            <th
              key={column.title}
              scope="col"
              aria-sort={column.sorted}
              style={{ width: column.width }}
              className={`py-2 pl-3 font-medium first:pl-0 ${side(column)} ${hidden(column)}`}
            >
              {column.onSort ? (
                <button
                  type="button"
                  onClick={column.onSort}
                  className={`hover:text-ink ${column.sorted ? "text-ink" : ""}`}
                >
                  {column.title}
                </button>
              ) : (
                column.title
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)} className="border-b border-rule hover:bg-sunken">
            {columns.map((column) => (
              <td key={column.title} className={`py-2 pl-3 first:pl-0 break-words ${side(column)} ${hidden(column)}`}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
