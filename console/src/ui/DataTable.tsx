// A table whose rows are drawn only where they can be seen, so that ten thousand cost as much as thirty.
//
// It is a real table for assistive technology (roles, counts, indexes). A row that can be opened is
// reached by arrow keys and opened by Enter; the focus stays on its row while rows come and go above it.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, type KeyboardEvent, type ReactNode } from "react";

export interface Column<Row> {
  key: string;
  title: ReactNode;
  cell: (row: Row, index: number) => ReactNode;
  align?: "left" | "right";
  /** A track of CSS grid: `6rem`, `minmax(8rem, 2fr)` … */
  width?: string;
  sort?: { direction: "ascending" | "descending" | "none"; toggle: () => void };
}

interface DataTableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row, index: number) => string;
  onOpen?: (row: Row) => void;
  selected?: string;
  /** What stands across all columns in the place of a row's cells, where it is no ordinary row. */
  across?: (row: Row) => ReactNode;
  /** Height of the scrolling area; without it the table is as high as its rows, up to `maxHeight`. */
  height?: string;
  maxHeight?: string;
  rowHeight?: number;
  /** Narrowest width before the table scrolls sideways. */
  minWidth?: string;
  onScroll?: (top: number) => void;
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, columns, rows, rowKey, onOpen, selected, across, rowHeight = 32 } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    getItemKey: (index) => rowKey(rows[index]!, index),
  });
  const template = columns.map((column) => column.width ?? "minmax(6rem, 1fr)").join(" ");
  const items = virtual.getVirtualItems();
  // One row is reached by Tab: the selected one if it is drawn, else the first in sight.
  const top = virtual.scrollOffset ?? 0;
  const stop = (items.find((each) => each.key === selected) ?? items.find((each) => each.start >= top))?.key;

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    const step = steps[event.key];
    const focused = (event.target as HTMLElement).closest<HTMLElement>("[data-index]");
    if (!focused) return;
    const index = Number(focused.dataset.index);
    if (event.key === "Enter" && rows[index] !== undefined && event.target === focused) return onOpen?.(rows[index]);
    const to =
      event.key === "Home" ? 0 : event.key === "End" ? rows.length - 1 : step === undefined ? -1 : index + step;
    if (step === undefined && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    const target = Math.max(0, Math.min(rows.length - 1, to));
    virtual.scrollToIndex(target);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${target}"]`)?.focus());
  };

  return (
    <div
      ref={scroller}
      className="relative overflow-auto"
      style={{ height: props.height, maxHeight: props.maxHeight }}
      onScroll={(event) => props.onScroll?.(event.currentTarget.scrollTop)}
      onKeyDown={onOpen ? onKeyDown : undefined}
      tabIndex={onOpen ? undefined : 0}
      role={onOpen ? undefined : "region"}
      aria-label={onOpen ? undefined : label}
    >
      <div
        role={onOpen ? "grid" : "table"}
        aria-label={label}
        aria-rowcount={rows.length + 1}
        style={{ minWidth: props.minWidth }}
      >
        <div role="rowgroup" className="sticky top-0 z-10 bg-paper">
          <div role="row" className="grid border-b border-rule-strong/60" style={{ gridTemplateColumns: template }}>
            {columns.map((column) => (
              <HeaderCell key={column.key} column={column} />
            ))}
          </div>
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index]!;
            const whole = across?.(row);
            return (
              <div
                key={item.key}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={onOpen ? item.key === selected : undefined}
                data-index={item.index}
                tabIndex={onOpen ? (item.key === stop ? 0 : -1) : undefined}
                onClick={onOpen && (() => onOpen(row))}
                className={`absolute inset-x-0 grid items-center border-b border-rule ${
                  onOpen ? `cursor-pointer -outline-offset-2 ${item.key === selected ? "" : "hover:bg-sunken"}` : ""
                } ${item.key === selected ? "bg-accent-wash" : ""}`}
                style={{ gridTemplateColumns: template, height: item.size, transform: `translateY(${item.start}px)` }}
              >
                {whole !== undefined && (
                  <div
                    role={onOpen ? "gridcell" : "cell"}
                    aria-colspan={columns.length}
                    className="col-span-full min-w-0 truncate px-2 first:pl-1 last:pr-1"
                  >
                    {whole}
                  </div>
                )}
                {(whole === undefined ? columns : []).map((column) => (
                  <div
                    key={column.key}
                    role={onOpen ? "gridcell" : "cell"}
                    className={`min-w-0 truncate px-2 first:pl-1 last:pr-1 ${column.align === "right" ? "text-right figures" : ""}`}
                  >
                    {column.cell(row, item.index)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function HeaderCell<Row>({ column }: { column: Column<Row> }) {
  const side = column.align === "right" ? "text-right" : "";
  // Where a press would put it: away from the side that the values line up on.
  const arrow = column.sort && (
    <span aria-hidden className="inline-block w-3 text-center">
      {{ ascending: "↑", descending: "↓", none: "" }[column.sort.direction]}
    </span>
  );
  return (
    <div
      role="columnheader"
      aria-sort={column.sort?.direction}
      className={`label min-w-0 truncate px-2 py-1.5 font-medium first:pl-1 last:pr-1 ${side}`}
    >
      {column.sort ? (
        <button type="button" onClick={column.sort.toggle} className="hover:text-ink">
          {column.align === "right" && arrow}
          {column.title}
          {column.align !== "right" && arrow}
        </button>
      ) : (
        column.title
      )}
    </div>
  );
}
