// A topic as it stands: pages of messages from a place on, all partitions merged by time.
//
//   partition 0   ──fetch──► waiting ─┐
//   partition 1   ──fetch──► waiting ─┼─ the earliest (or latest) first ─► filter ─► page
//   partition 2   ──fetch──► waiting ─┘
//
// Invariants: a message comes once; within a partition in the order of offsets. So does a range that cannot be read,
// whatever the filter, in its place among the messages of its partition. A page ends at `PAGE` matches or after `SCAN`
// messages were looked at, so that a filter which matches nothing still comes back.
import { path, request, type Schemas } from "../../api/client";
import type { RecordView } from "../../api/queries";
import type { Matcher } from "./matcher";
import { messageOf, type Entry, type Unreadable } from "./message";

export const PAGE = 100;
const SCAN = 5_000;
const FETCH = 200;

export type Start =
  { from: "earliest" } | { from: "latest" } | { from: "offset"; offset: string } | { from: "time"; at: string };

export interface Found {
  entries: Entry[];
  scanned: number;
  /** Nothing further in this direction. */
  done: boolean;
}

interface Source {
  partition: number;
  /** The next offset to fetch going forward; going back, behind the last one to fetch. */
  at: bigint | null;
  low: bigint;
  high: bigint;
  waiting: Item[];
  /** Going back: the upper part of a range that cannot be read and may begin further down. */
  upper: Unreadable | null;
}

/** What a partition holds next. */
type Item = RecordView | Unreadable;

function isRange(item: Item): item is Unreadable {
  return "next" in item;
}

type Records = Schemas["Records"];
export type Fetch = (query: Record<string, string | number>) => Promise<Records>;

export function fetchRecords(topic: string): Fetch {
  const to = path("/api/v1/topics/{topic}/records", { topic });
  return (query) => request<Records>(to, { query, exact: true });
}

export class Browse {
  private readonly back: boolean;
  private readonly sources: Source[];

  constructor(
    private readonly fetch: Fetch,
    private readonly start: Start,
    private readonly matcher: Matcher,
    partitions: { partition: number; log_start: string; high_watermark: string }[],
  ) {
    this.back = start.from === "latest";
    this.sources = partitions.map(({ partition, log_start, high_watermark }) => {
      const [low, high] = [BigInt(log_start), BigInt(high_watermark)];
      return { partition, low, high, at: this.first(low, high), waiting: [], upper: null };
    });
  }

  async next(): Promise<Found> {
    const entries: Entry[] = [];
    let scanned = 0;
    while (entries.length < PAGE && scanned < SCAN) {
      await Promise.all(this.sources.map((source) => this.fill(source)));
      const item = this.take();
      if (!item) return { entries, scanned, done: true };
      if (isRange(item)) {
        entries.push(item);
        continue;
      }
      scanned += 1;
      if (this.matcher.record(item)) entries.push(messageOf(item));
    }
    return { entries, scanned, done: false };
  }

  private first(low: bigint, high: bigint): bigint | null {
    if (this.start.from === "earliest") return low;
    if (this.start.from === "latest") return high;
    if (this.start.from === "time") return null;
    const asked = BigInt(this.start.offset);
    const offset = asked < 0n ? high + asked : asked;
    return offset < low ? low : offset;
  }

  private take(): Item | undefined {
    const heads = this.sources.filter((source) => source.waiting.length > 0);
    if (heads.length === 0) return undefined;
    const best = heads.reduce((a, b) => (this.precedes(a.waiting[0]!, b.waiting[0]!) ? a : b));
    return best.waiting.shift();
  }

  /** A range without a time comes right behind what was taken of its partition before. */
  private precedes(a: Item, b: Item): boolean {
    if (isRange(a)) return true;
    if (isRange(b)) return false;
    return before(a, b) !== this.back;
  }

  private async fill(source: Source): Promise<void> {
    if (source.waiting.length > 0) return;
    if (this.back) return this.fillBack(source);
    while (source.waiting.length === 0 && (source.at === null || source.at < source.high)) {
      const place: Record<string, string> =
        source.at === null && this.start.from === "time" ? { timestamp: this.start.at } : { offset: String(source.at) };
      const answer = await this.fetch({ partition: source.partition, ...place, limit: FETCH });
      const { partitions } = answer;
      const on = partitions.find((each) => each.partition === source.partition);
      if (on) source.high = BigInt(on.high_watermark);
      const next = on ? BigInt(on.next) : source.high;
      source.waiting = inOrder(answer);
      if (source.waiting.length === 0 && source.at !== null && next <= source.at) source.at = source.high;
      else source.at = next;
    }
  }

  /** The window before `at`, in pieces if the server ends an answer early because it is large. */
  private async fillBack(source: Source): Promise<void> {
    while (source.waiting.length === 0 && source.at !== null && source.at > source.low) {
      const end: bigint = source.at;
      const begin = end - BigInt(FETCH) > source.low ? end - BigInt(FETCH) : source.low;
      let at = begin;
      const window: Item[] = [];
      while (at < end) {
        const limit = Number(end - at);
        const answer = await this.fetch({ partition: source.partition, offset: String(at), limit });
        window.push(...inOrder(answer).filter((item) => offsetOf(item) < end));
        const next = BigInt(answer.partitions.find((each) => each.partition === source.partition)?.next ?? end);
        at = next > at ? next : end;
      }
      source.at = begin;
      source.waiting = joined(window.reverse(), source, begin, end);
    }
  }
}

/** What a window ends with, where it was cut: a range across the border is one. */
function joined(window: Item[], source: Source, begin: bigint, end: bigint): Item[] {
  const [first, upper] = [window[0], source.upper];
  source.upper = null;
  if (upper && first && isRange(first) && BigInt(first.next) >= end) window[0] = { ...first, next: upper.next };
  else if (upper) window.unshift(upper);
  const last = window.at(-1);
  if (last && isRange(last) && BigInt(last.from) <= begin && begin > source.low) {
    source.upper = last;
    window.pop();
  }
  return window;
}

/** Records and what lies among them and cannot be read, as they lie in their partition. */
function inOrder({ records, unreadable }: Records): Item[] {
  if (unreadable.length === 0) return records;
  const items: Item[] = [...records, ...unreadable];
  return items.sort((a, b) => (offsetOf(a) < offsetOf(b) ? -1 : 1));
}

function offsetOf(item: Item): bigint {
  return BigInt(isRange(item) ? item.from : item.offset);
}

/** Whether `a` comes before `b`: by time, then by partition. Records without a time come first. */
function before(a: RecordView, b: RecordView): boolean {
  const [at, bt] = [a.timestamp ?? "", b.timestamp ?? ""];
  return at === bt ? a.partition <= b.partition : at < bt;
}
