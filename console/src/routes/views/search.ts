// How a view's rows are looked at, as the address says it. Anything unreadable falls back to the default.

export interface ViewSearch {
  /** A column, with `-` before it for the largest first; without it the view's own order. */
  sort?: string;
  /** What a row must hold. */
  q?: string;
  /** A chart instead of the table. */
  show?: "chart";
}

export function parseSearch(raw: Record<string, unknown>): ViewSearch {
  const search: ViewSearch = {};
  if (typeof raw.sort === "string" && raw.sort !== "") search.sort = raw.sort;
  if (raw.q !== undefined && raw.q !== "") search.q = String(raw.q);
  if (raw.show === "chart") search.show = "chart";
  return search;
}

/** The sorting after a press on a column's head: up, down, and back to the view's own order. */
export function nextSort(sort: string | undefined, column: string): string | undefined {
  if (sort === column) return `-${column}`;
  return sort === `-${column}` ? undefined : column;
}
