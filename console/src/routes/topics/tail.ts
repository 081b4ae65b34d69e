// A topic as it grows: what arrived last, newest first, drawn at most ten times a second.
//
//   stream ─► ring of at most ROWS messages and RAW characters ─► every FRAME ms ─► the page
//                                                                  not while held
//
// Invariants
// - Memory is bounded whatever the rate and whatever the size of a message: a large one keeps only its preview.
// - A message no one sees is never parsed, unless a filter must look into it.
// - While held, what is shown stays; what arrives is counted and kept within the same bounds.
import { parseExact } from "../../api/json";
import { Problem } from "../../api/problem";
import type { RecordView } from "../../api/queries";
import { openStream, type ServerEvent, type Stream, type StreamState } from "../../api/sse";
import type { Matcher } from "./matcher";
import { messageOf, type Entry, type Unreadable } from "./message";

export const ROWS = 2_000;
/** Characters of unparsed messages kept in all. */
const RAW = 16 * 1024 * 1024;
/** A longer message is parsed when it comes, and only its preview kept. */
const LARGE = 32 * 1024;
const FRAME = 100;

/** One message that arrived, or a range that cannot be read; parsed when it is first looked at. */
export class TailRow {
  private raw: string;
  private parsed: Entry | undefined;

  constructor(
    readonly sequence: number,
    raw: string,
    parsed?: Entry,
  ) {
    this.raw = raw;
    this.parsed = parsed;
    if (raw.length > LARGE) void this.entry;
  }

  get entry(): Entry {
    if (!this.parsed) {
      this.parsed = messageOf(parseExact(this.raw) as unknown as RecordView);
      this.raw = "";
    }
    return this.parsed;
  }

  get weight(): number {
    return this.raw.length;
  }
}

export interface TailState {
  /** Newest first. */
  rows: readonly TailRow[];
  stream: StreamState;
  problem?: Problem;
  held: boolean;
  /** How many have come that are not shown, because the list is held. */
  unseen: number;
  /** Records received since the start, shown or not. */
  received: number;
  /** Records that retention took before they could be read. */
  gaps: number;
}

export class Tail {
  private ring: TailRow[] = [];
  private weight = 0;
  private sequence = 0;
  private held = false;
  private seen = 0;
  private received = 0;
  private gaps = 0;
  private problem: Problem | undefined;
  private streamState: StreamState = "connecting";
  private stream: Stream | undefined;
  private frame: ReturnType<typeof setTimeout> | undefined;
  private readers = new Set<() => void>();
  private shown: TailState = { rows: [], stream: "connecting", held: false, unseen: 0, received: 0, gaps: 0 };

  constructor(
    private readonly url: string,
    private readonly matcher: Matcher,
  ) {}

  open(): void {
    this.stream = openStream(this.url, {
      onEvents: (events) => this.take(events),
      onState: (state, problem) => {
        this.streamState = state;
        if (problem) this.problem = problem;
        this.show();
      },
    });
  }

  close(): void {
    this.stream?.close();
    clearTimeout(this.frame);
    this.frame = undefined;
  }

  /** Keeps what is shown, or lets it go on. */
  hold(held: boolean): void {
    if (held === this.held) return;
    this.held = held;
    this.show();
  }

  readonly subscribe = (reader: () => void): (() => void) => {
    this.readers.add(reader);
    return () => void this.readers.delete(reader);
  };

  readonly state = (): TailState => this.shown;

  /** Public for tests: takes what a stream brings. */
  take(events: ServerEvent[]): void {
    for (const { event, data } of events) {
      if (event === "record") this.record(data);
      else if (event === "unreadable") this.push("", parseExact(data) as unknown as Unreadable);
      else if (event === "gap") this.gaps += 1;
      else if (event === "error") this.problem = Problem.from(500, parseExact(data));
    }
    this.frame ??= setTimeout(() => this.show(), FRAME);
  }

  private record(data: string): void {
    this.received += 1;
    let message: Entry | undefined;
    if (!this.matcher.all) {
      if (!this.matcher.maybe(data)) return;
      const record = parseExact(data) as unknown as RecordView;
      if (!this.matcher.record(record)) return;
      message = messageOf(record);
    }
    this.push(message ? "" : data, message);
  }

  private push(raw: string, parsed?: Entry): void {
    const row = new TailRow(this.sequence++, raw, parsed);
    this.ring.push(row);
    this.weight += row.weight;
    // Trimmed in steps: moving the whole ring for each message would cost more than the message.
    if (this.ring.length >= ROWS * 2 || this.weight > RAW) this.trim();
  }

  private trim(): void {
    let first = Math.max(0, this.ring.length - ROWS);
    this.weight = this.ring.slice(first).reduce((sum, row) => sum + row.weight, 0);
    while (this.weight > RAW / 2 && first < this.ring.length - 1) this.weight -= this.ring[first++]!.weight;
    this.ring = this.ring.slice(first);
  }

  private show(): void {
    clearTimeout(this.frame);
    this.frame = undefined;
    this.trim();
    if (!this.held) this.seen = this.sequence;
    this.shown = {
      rows: this.held ? this.shown.rows : this.ring.toReversed(),
      stream: this.streamState,
      problem: this.problem,
      held: this.held,
      unseen: this.sequence - this.seen,
      received: this.received,
      gaps: this.gaps,
    };
    for (const reader of this.readers) reader();
  }
}
