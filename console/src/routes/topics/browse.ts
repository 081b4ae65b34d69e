// A topic as it stands: pages of messages from a place on, all partitions merged by time.
//
//   partition 0   ──fetch──► waiting ─┐
//   partition 1   ──fetch──► waiting ─┼─ the earliest (or latest) first ─► filter ─► page
//   partition 2   ──fetch──► waiting ─┘
//
// Always holds: a message comes once; within a partition in the order of offsets. A page ends at `PAGE` matches
// or after `SCAN` messages were looked at, so that a filter which matches nothing still comes back.
import { path, request, type Schemas } from "../../api/client";
import type { RecordView } from "../../api/queries";
import type { Matcher } from "./matcher";
import { messageOf, type Message } from "./message";

export const PAGE = 100;
const SCAN = 5_000;
const FETCH = 200;

export type Start =
  { from: "earliest" } | { from: "latest" } | { from: "offset"; offset: string } | { from: "time"; at: string };

export interface Found {
  messages: Message[];
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
  waiting: RecordView[];
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
      return { partition, low, high, at: this.first(low, high), waiting: [] };
    });
  }

  async next(): Promise<Found> {
    const messages: Message[] = [];
    let scanned = 0;
    while (messages.length < PAGE && scanned < SCAN) {
      await Promise.all(this.sources.map((source) => this.fill(source)));
      const record = this.take();
      if (!record) return { messages, scanned, done: true };
      scanned += 1;
      if (this.matcher.record(record)) messages.push(messageOf(record));
    }
    return { messages, scanned, done: false };
  }

  private first(low: bigint, high: bigint): bigint | null {
    if (this.start.from === "earliest") return low;
    if (this.start.from === "latest") return high;
    if (this.start.from === "time") return null;
    const asked = BigInt(this.start.offset);
    const offset = asked < 0n ? high + asked : asked;
    return offset < low ? low : offset;
  }

  private take(): RecordView | undefined {
    const heads = this.sources.filter((source) => source.waiting.length > 0);
    if (heads.length === 0) return undefined;
    const best = heads.reduce((a, b) => (before(a.waiting[0]!, b.waiting[0]!) !== this.back ? a : b));
    return best.waiting.shift();
  }

  private async fill(source: Source): Promise<void> {
    if (source.waiting.length > 0) return;
    if (this.back) return this.fillBack(source);
    while (source.waiting.length === 0 && (source.at === null || source.at < source.high)) {
      const place: Record<string, string> =
        source.at === null && this.start.from === "time" ? { timestamp: this.start.at } : { offset: String(source.at) };
      const { records, partitions } = await this.fetch({ partition: source.partition, ...place, limit: FETCH });
      const on = partitions.find((each) => each.partition === source.partition);
      if (on) source.high = BigInt(on.high_watermark);
      const next = on ? BigInt(on.next) : source.high;
      source.waiting = records;
      if (records.length === 0 && source.at !== null && next <= source.at) source.at = source.high;
      else source.at = next;
    }
  }

  /** The window before `at`, in pieces if the server ends an answer early because it is large. */
  private async fillBack(source: Source): Promise<void> {
    while (source.waiting.length === 0 && source.at !== null && source.at > source.low) {
      const end: bigint = source.at;
      const begin = end - BigInt(FETCH) > source.low ? end - BigInt(FETCH) : source.low;
      let at = begin;
      const window: RecordView[] = [];
      while (at < end) {
        const limit = Number(end - at);
        const { records, partitions } = await this.fetch({ partition: source.partition, offset: String(at), limit });
        window.push(...records.filter((record) => BigInt(record.offset) < end));
        const next = BigInt(partitions.find((each) => each.partition === source.partition)?.next ?? end);
        at = next > at ? next : end;
      }
      source.at = begin;
      source.waiting = window.reverse();
    }
  }
}

/** Whether `a` comes before `b`: by time, then by partition. Records without a time come first. */
function before(a: RecordView, b: RecordView): boolean {
  const [at, bt] = [a.timestamp ?? "", b.timestamp ?? ""];
  return at === bt ? a.partition <= b.partition : at < bt;
}
