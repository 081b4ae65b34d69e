/**
 * How panels stand on the page.
 *
 * Invariants: panels keep the order in which they were declared, and every row is filled: numbers share a row evenly,
 * a wide panel has one of its own, others stand in pairs, and one that is left over takes the whole width.
 */
export interface Placed {
  kind: string;
  wide: boolean;
}

/** Numbers in one row at most. */
const NUMBERS = 4;

export function rowsOf<P extends Placed>(panels: readonly P[]): P[][] {
  const rows: P[][] = [];
  for (const panel of panels) {
    const row = rows.at(-1);
    if (row && fits(row, panel)) row.push(panel);
    else rows.push([panel]);
  }
  return rows.flatMap(balanced);
}

function fits(row: readonly Placed[], panel: Placed): boolean {
  const [first] = row;
  if (!first || first.wide || panel.wide) return false;
  if (first.kind === "number" || panel.kind === "number") return first.kind === panel.kind;
  return row.length < 2;
}

/** Many numbers in rows of about the same length. */
function balanced<P extends Placed>(row: P[]): P[][] {
  const count = Math.ceil(row.length / NUMBERS);
  const size = Math.ceil(row.length / count);
  return Array.from({ length: count }, (_, index) => row.slice(index * size, (index + 1) * size)).filter(
    (part) => part.length > 0,
  );
}
