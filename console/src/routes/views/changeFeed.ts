/**
 * The page's one stream of changes, for all views that it shows.
 *
 * Invariants
 * - There is one connection however many views are followed, and none while none is.
 * - When views come or go the stream is opened again, and those that stay go on behind what they have seen.
 */
import { parseJson } from "~/api/json";
import type { Problem } from "~/api/problem";
import { openStream, type ServerEvent, type Stream } from "~/api/sse";
import type { Listener } from "./liveView";

type Open = typeof openStream;

export class ChangeFeed {
  #listeners = new Map<string, Listener>();
  /** How far each view is, as ids of events say it. */
  #places = new Map<string, string>();
  #stream: Stream | null = null;
  #pending: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly open: Open = openStream) {}

  /** Follows a view from its snapshot; the returned function ends it. */
  readonly follow = (view: string, listener: Listener): (() => void) => {
    this.#places.delete(view);
    this.#listeners.set(view, listener);
    this.#reopen();
    return () => {
      if (this.#listeners.get(view) !== listener) return;
      this.#listeners.delete(view);
      this.#places.delete(view);
      this.#reopen();
    };
  };

  /** Once for all views that come and go together. */
  #reopen(): void {
    this.#pending ??= setTimeout(() => {
      this.#pending = undefined;
      this.#stream?.close();
      this.#stream = this.#listeners.size === 0 ? null : this.#opened();
    });
  }

  #opened(): Stream {
    const views = [...this.#listeners.keys()].map((view) => `view=${encodeURIComponent(view)}`);
    const places = [...this.#places].map(([view, place]) => `${view}=${place}`);
    const listener = {
      onEvents: (events: ServerEvent[]) => events.forEach((event) => this.#take(event)),
      onState: (state: string, problem?: Problem) => this.#tell(state, problem),
    };
    return this.open(`/api/v1/changes?${views.join("&")}`, listener, places.join(","));
  }

  #take({ event, data, id }: ServerEvent): void {
    const told = parseJson(data) as { view?: string };
    const listener = told.view === undefined ? undefined : this.#listeners.get(told.view);
    if (!listener || told.view === undefined) return;
    const place = placesIn(id).get(told.view);
    if (place !== undefined && event !== "error") this.#places.set(told.view, place);
    listener.onEvent(event, told);
  }

  #tell(state: string, problem?: Problem): void {
    for (const listener of this.#listeners.values()) {
      if (state === "open") listener.onUp();
      else if (state === "lost") listener.onDown();
      else if (state === "refused" && problem) listener.onRefused(problem);
    }
  }
}

/** `store.top=8f2a-41,store.other=77-3` by view. */
function placesIn(id: string): Map<string, string> {
  const parts = id.split(",").flatMap((part) => {
    const at = part.lastIndexOf("=");
    return at < 0 ? [] : [[part.slice(0, at), part.slice(at + 1)] as const];
  });
  return new Map(parts);
}
