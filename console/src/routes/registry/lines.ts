// Two texts line by line: which lines are in both, and which stand side by side where they differ.
//
// Myers' algorithm between what both begin and end with. Bounded: of texts with more than `MOST` differences, what lies
// between is shown as replaced.

export interface Pair {
  /** The number of the line from 1, and its text; absent where the other side has a line that this one has not. */
  old?: { number: number; text: string };
  new?: { number: number; text: string };
  same: boolean;
}

const MOST = 1_000;

/** The lines of both texts in order, those that differ beside each other. */
export function pairs(oldText: string, newText: string): Pair[] {
  const [a, b] = [oldText.split("\n"), newText.split("\n")];
  const found: Pair[] = [];
  let removed: number[] = [];
  let added: number[] = [];
  const left = (index: number) => ({ number: index + 1, text: a[index]! });
  const right = (index: number) => ({ number: index + 1, text: b[index]! });
  const flush = () => {
    for (let each = 0; each < Math.max(removed.length, added.length); each += 1) {
      const [from, to] = [removed[each], added[each]];
      found.push({
        ...(from === undefined ? {} : { old: left(from) }),
        ...(to === undefined ? {} : { new: right(to) }),
        same: false,
      });
    }
    [removed, added] = [[], []];
  };
  for (const [from, to] of steps(a, b)) {
    if (from === null) added.push(to!);
    else if (to === null) removed.push(from);
    else {
      flush();
      found.push({ old: left(from), new: right(to), same: true });
    }
  }
  flush();
  return found;
}

/** A line of the old text, of the new one, or the same line of both. */
type Step = [number, number] | [number, null] | [null, number];

function steps(a: string[], b: string[]): Step[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const between = shortest(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const same = (from: number, to: number, count: number) =>
    Array.from({ length: count }, (_, index): Step => [from + index, to + index]);
  return [
    ...same(0, 0, start),
    ...between.map(([from, to]) => [from === null ? null : from + start, to === null ? null : to + start] as Step),
    ...same(a.length - end, b.length - end, end),
  ];
}

function shortest(a: string[], b: string[]): Step[] {
  const most = Math.min(a.length + b.length, MOST);
  // How far into `a` each diagonal reaches; diagonal `k` is at `k + most + 1`.
  const reach = new Int32Array(2 * most + 3);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= most; d += 1) {
    trace.push(reach.slice());
    for (let k = -d; k <= d; k += 2) {
      let x = begin(reach, most, d, k).x;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      reach[k + most + 1] = x;
      if (x >= a.length && x - k >= b.length) return walkedBack(trace, most, a.length, b.length);
    }
  }
  return [...a.map((_, index): Step => [index, null]), ...b.map((_, index): Step => [null, index])];
}

/** Where diagonal `k` begins after `d` differences, and whether the last one is an added line. */
function begin(reach: Int32Array, most: number, d: number, k: number): { x: number; added: boolean } {
  const [left, right] = [reach[k + most]!, reach[k + most + 2]!];
  const added = k === -d || (k !== d && left < right);
  return { x: added ? right : left + 1, added };
}

function walkedBack(trace: Int32Array[], most: number, length: number, other: number): Step[] {
  const found: Step[] = [];
  let [x, y] = [length, other];
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const from = begin(trace[d]!, most, d, x - y);
    // Without a difference, the diagonal begins with both texts.
    const start = d === 0 ? 0 : from.x;
    while (x > start) found.push([(x -= 1), (y -= 1)]);
    if (d === 0) break;
    if (from.added) found.push([null, (y -= 1)]);
    else found.push([(x -= 1), null]);
  }
  return found.reverse();
}
