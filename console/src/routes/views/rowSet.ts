/**
 * The rows of a view, kept true by its changes.
 *
 * Invariants
 * - After a snapshot and every change behind it, the rows are the view's rows as of the last change.
 * - A row that came takes the place of one that went, so what did not change stays where it is.
 * - A change that takes away a row which is not here means that something was missed: `apply` says so, and the
 *   rows are to be asked for again. Nothing is guessed.
 */
import type { Row } from "../../charts/columns";

export class RowSet {
  #rows: (Row | null)[] = [];
  #places = new Map<string, number[]>();
  #holes: number[] = [];

  /** How many rows there are. */
  get size(): number {
    return this.#rows.length - this.#holes.length;
  }

  /** The rows in their places, without holes. */
  rows(): Row[] {
    return this.#holes.length === 0
      ? (this.#rows as Row[]).slice()
      : this.#rows.filter((row): row is Row => row !== null);
  }

  /** Takes a snapshot: what was known before is void. */
  replace(rows: readonly Row[]): void {
    this.#rows = [];
    this.#places = new Map();
    this.#holes = [];
    for (const row of rows) this.#put(row, this.#rows.length);
  }

  /** Takes a change. `false` if it does not fit what is here. */
  apply(removed: readonly Row[], added: readonly Row[]): boolean {
    for (const row of removed) {
      const key = identity(row);
      const places = this.#places.get(key);
      const place = places?.pop();
      if (place === undefined) return false;
      if (places?.length === 0) this.#places.delete(key);
      this.#rows[place] = null;
      this.#holes.push(place);
    }
    this.#holes.sort((a, b) => a - b);
    const free = this.#holes.splice(0, added.length);
    added.forEach((row, index) => this.#put(row, free[index] ?? this.#rows.length));
    if (this.#holes.length > 64 && this.#holes.length > this.#rows.length / 2) this.replace(this.rows());
    return true;
  }

  #put(row: Row, place: number): void {
    this.#rows[place] = row;
    const key = identity(row);
    const places = this.#places.get(key);
    if (places) places.push(place);
    else this.#places.set(key, [place]);
  }
}

/** Rows are equal if they are written alike: the server writes each column the same way every time. */
export function identity(row: Row): string {
  return JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}
