/**
 * A view, followed: its rows, what the connection is doing, and why it cannot be followed.
 *
 * ```text
 *   feed ─► snapshot, change ─► RowSet ─► at most ten times a second ─► the page
 * ```
 *
 * Invariants
 * - A view is followed once, however many panels show it, and not at all while no one does.
 * - Readers see whole states: rows and their moment change together.
 * - A busy view costs a bounded part of the time: the longer a state takes to show, the rarer it is shown.
 * - While the server is away the last rows stay, marked as interrupted. What it refuses has no rows.
 * - Rows of a view that stands still stay too, with why it does.
 */
import type { Row } from "../../charts/columns";
import { RowSet } from "./rowSet";

/** What the server says when it cannot do what it was asked: the part of RFC 9457 that is shown. */
export interface Refusal {
  title?: string;
  detail: string;
  status?: number;
}

/** Why a view stands still, and how far its rows are behind. */
export interface Stale {
  /** `failed` or `waiting`. */
  state: string;
  reason: string;
  as_of: string;
  /** Events that the rows do not contain, a 64-bit number as text. */
  lag: string;
}

export type Phase = "connecting" | "live" | "interrupted" | "refused";

export interface LiveState {
  phase: Phase;
  rows: readonly Row[];
  /** The moment that the rows answer for. */
  asOf: string | null;
  /** Set while the view stands still. */
  stale: Stale | null;
  refusal: Refusal | null;
}

/** What a stream tells. */
export interface Listener {
  onEvent: (kind: string, data: unknown) => void;
  onUp: () => void;
  onDown: () => void;
  onRefused: (refusal: Refusal) => void;
}

/** Follows a view; gives what ends it. What is lost resumes by itself, and what is refused is told once it is not. */
export type Connect = (view: string, listener: Listener) => () => void;

/** Shown at most this often. */
const FRAME = 100;
/** Showing may take one part in so many of the time. */
const SHARE = 4;
/** A view is followed this long without readers, for those who only turn the page. */
const LINGER = 2_000;

const EMPTY: LiveState = { phase: "connecting", rows: [], asOf: null, stale: null, refusal: null };

export class LiveView {
  #state = EMPTY;
  #rows = new RowSet();
  #asOf: string | null = null;
  #stale: Stale | null = null;
  #readers = new Set<() => void>();
  #close: (() => void) | null = null;
  #frame: ReturnType<typeof setTimeout> | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #shownAt = 0;
  #cost = 0;

  constructor(
    readonly name: string,
    private readonly connect: Connect,
  ) {}

  /** The state as it was last shown; the same object until it changes. */
  readonly state = (): LiveState => this.#state;

  /** Calls `reader` after each change of state, until the returned function is called. */
  readonly subscribe = (reader: () => void): (() => void) => {
    this.#readers.add(reader);
    clearTimeout(this.#linger);
    if (!this.#close) this.#open();
    return () => {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.#linger = setTimeout(() => this.#end(), LINGER);
    };
  };

  #open(): void {
    this.#close = this.connect(this.name, {
      onEvent: (kind, data) => this.#take(kind, data),
      onUp: () => this.#turn("live"),
      onDown: () => this.#turn("interrupted"),
      onRefused: (refusal) => this.#refuse(refusal),
    });
  }

  #end(): void {
    this.#close?.();
    this.#close = null;
    clearTimeout(this.#frame);
    this.#frame = undefined;
    this.#rows = new RowSet();
    this.#asOf = null;
    this.#stale = null;
    this.#state = EMPTY;
  }

  #take(kind: string, data: unknown): void {
    if (kind === "error") return this.#refuse(refusalOf(data));
    const event = data as { rows?: Row[]; removed?: Row[]; added?: Row[]; as_of?: string };
    if (kind === "snapshot") {
      this.#rows.replace(event.rows ?? []);
      this.#stale = staleOf(data);
    } else if (kind === "stale" || kind === "live") this.#stale = staleOf(data);
    else if (kind === "change") {
      if (!this.#rows.apply(event.removed ?? [], event.added ?? [])) return this.#again();
    } else return;
    this.#asOf = event.as_of ?? this.#asOf;
    this.#schedule();
  }

  /** Something was missed: start over from a snapshot. */
  #again(): void {
    this.#close?.();
    this.#open();
  }

  #refuse(refusal: Refusal): void {
    clearTimeout(this.#frame);
    this.#frame = undefined;
    this.#rows = new RowSet();
    this.#asOf = null;
    this.#stale = null;
    this.#show({ phase: "refused", rows: [], asOf: null, stale: null, refusal });
  }

  /** The connection came back or went. Rows that are there stay; a first snapshot is still to come where none was. */
  #turn(phase: "live" | "interrupted"): void {
    const next = phase === "live" && this.#asOf === null ? "connecting" : phase;
    if (this.#state.phase === next || this.#state.phase === "refused") return;
    this.#show({ ...this.#state, phase: next });
  }

  #schedule(): void {
    if (this.#frame !== undefined) return;
    const pause = Math.max(FRAME, this.#cost * SHARE) - (performance.now() - this.#shownAt);
    this.#frame = setTimeout(
      () => {
        this.#frame = undefined;
        // Before the first snapshot there is nothing to show.
        if (this.#asOf === null) return;
        this.#show({
          phase: "live",
          rows: this.#rows.rows(),
          asOf: this.#asOf,
          stale: this.#stale,
          refusal: null,
        });
      },
      Math.max(0, pause),
    );
  }

  #show(state: LiveState): void {
    const started = performance.now();
    this.#state = state;
    for (const reader of this.#readers) reader();
    this.#shownAt = performance.now();
    this.#cost = this.#shownAt - started;
  }
}

/** What an event says of the state of its view. */
function staleOf(data: unknown): Stale | null {
  const { state = "live", reason = "", as_of = "", lag = "0" } = data as Partial<Stale>;
  return state === "failed" || state === "waiting" ? { state, reason, as_of, lag } : null;
}

function refusalOf(data: unknown): Refusal {
  const problem = data as Partial<Refusal> | null;
  return { title: problem?.title, detail: problem?.detail ?? "the server ended the stream", status: problem?.status };
}
