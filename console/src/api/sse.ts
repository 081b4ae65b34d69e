// Server-sent events that resume: read by `fetch`, because `EventSource` cannot be told where to go on.
//
//   openStream ─► connecting ─► open ─► (lost | hidden | slot taken) ─► connecting, with Last-Event-ID ─► …
//                                └─► refused: the server said no; nothing more comes
//
// Invariants
// - A stream that is lost goes on behind the last event it saw (`Last-Event-ID`), with growing, jittered pauses.
// - A hidden page holds no connection. HTTP/1.1 gives a browser six per server for all its tabs, so
//   a page holds at most `SLOTS`; further streams wait for one to be free.
// - Nothing piles up here: a listener that is slow slows the reading down, and the server waits.
import { onReturn, reportLost, reportUp } from "./connection";
import { parseJson } from "./json";
import { Problem } from "./problem";

export interface ServerEvent {
  /** `message` where the server names none. */
  event: string;
  data: string;
  id: string;
}

export type StreamState = "connecting" | "open" | "lost" | "hidden" | "refused" | "ended";

export interface StreamListener {
  /** Every event since the last call, in order; called once for each chunk that arrives. */
  onEvents: (events: ServerEvent[]) => void;
  onState?: (state: StreamState, problem?: Problem) => void;
  /** Whether the stream is over when the server closes it, as with `?limit=`. Else it is opened again. */
  endsWithServer?: boolean;
}

export interface Stream {
  close(): void;
  /** Where the stream stands, for a stream that is to go on there later. */
  lastEventId(): string;
}

const SLOTS = 4;
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 5_000;

let held = 0;
const waiting: (() => void)[] = [];

export function openStream(url: string, listener: StreamListener, lastEventId = ""): Stream {
  const reader = new StreamReader(url, listener, lastEventId);
  void reader.run();
  return { close: () => reader.close(), lastEventId: () => reader.lastId };
}

class StreamReader {
  lastId: string;
  private closed = false;
  private attempts = 0;
  private pauseHint = FIRST_PAUSE;
  private abort = new AbortController();
  private wake: () => void = () => {};

  constructor(
    private readonly url: string,
    private readonly listener: StreamListener,
    lastEventId: string,
  ) {
    this.lastId = lastEventId;
  }

  close(): void {
    this.closed = true;
    this.abort.abort();
    this.wake();
  }

  async run(): Promise<void> {
    const onVisibility = () => {
      if (document.hidden) this.abort.abort();
      else this.wake();
    };
    const offReturn = onReturn(() => this.wake());
    document.addEventListener("visibilitychange", onVisibility);
    try {
      while (!this.closed) {
        if (document.hidden) {
          this.tell("hidden");
          await this.pause(Infinity);
          continue;
        }
        await takeSlot();
        try {
          if (!this.closed && !(await this.read())) return;
        } finally {
          freeSlot();
        }
        if (this.closed || document.hidden) continue;
        this.tell("lost");
        await this.pause(Math.min(this.pauseHint * 2 ** this.attempts, LONGEST_PAUSE) * (0.75 + Math.random() / 2));
        this.attempts += 1;
      }
    } finally {
      document.removeEventListener("visibilitychange", onVisibility);
      offReturn();
    }
  }

  /** One connection, from opening to its end. Gives whether there is to be another. */
  private async read(): Promise<boolean> {
    this.abort = new AbortController();
    this.tell("connecting");
    try {
      const response = await fetch(this.url, {
        headers: { accept: "text/event-stream", ...(this.lastId ? { "last-event-id": this.lastId } : {}) },
        cache: "no-store",
        signal: this.abort.signal,
      });
      if (response.status === 502 || response.status === 504) throw new TypeError("no one behind the proxy");
      reportUp();
      if (!response.ok || !response.body) return await this.refused(response);
      this.tell("open");
      await this.consume(response.body);
      if (this.listener.endsWithServer) {
        this.tell("ended");
        return false;
      }
    } catch {
      if (!this.closed && !this.abort.signal.aborted) reportLost();
    }
    return true;
  }

  private async consume(body: ReadableStream<Uint8Array>): Promise<void> {
    const lines = new EventLines(this.lastId);
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.attempts = 0;
      const events = lines.push(decoder.decode(value, { stream: true }));
      this.lastId = lines.lastId;
      if (lines.retry !== undefined) this.pauseHint = Math.min(lines.retry, LONGEST_PAUSE);
      if (events.length > 0 && !this.closed) this.listener.onEvents(events);
    }
  }

  /** A refusal that time may mend is tried again; any other ends the stream. */
  private async refused(response: Response): Promise<boolean> {
    let problem: Problem;
    try {
      problem = Problem.from(response.status, parseJson(await response.text()));
    } catch {
      problem = Problem.from(response.status, undefined);
    }
    if (problem.isTransient) return true;
    this.tell("refused", problem);
    return false;
  }

  private tell(state: StreamState, problem?: Problem): void {
    if (!this.closed) this.listener.onState?.(state, problem);
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(milliseconds) ? setTimeout(resolve, milliseconds) : undefined;
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The grammar of the HTML standard, §9.2.6, over text that arrives in arbitrary pieces. */
export class EventLines {
  retry: number | undefined;
  private rest = "";
  private event = "";
  private data: string[] = [];
  private id: string;

  constructor(public lastId = "") {
    this.id = lastId;
  }

  push(chunk: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.rest + chunk).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") this.dispatch(events);
      else if (!line.startsWith(":")) this.field(line);
    }
    return events;
  }

  private field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") this.data.push(value);
    else if (name === "event") this.event = value;
    else if (name === "id" && !value.includes("\0")) this.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
  }

  private dispatch(events: ServerEvent[]): void {
    this.lastId = this.id;
    if (this.data.length > 0) events.push({ event: this.event || "message", data: this.data.join("\n"), id: this.id });
    this.event = "";
    this.data = [];
  }
}

async function takeSlot(): Promise<void> {
  while (held >= SLOTS) await new Promise<void>((resolve) => waiting.push(resolve));
  held += 1;
}

function freeSlot(): void {
  held -= 1;
  waiting.shift()?.();
}
