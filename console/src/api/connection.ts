// Whether the server answers: one truth for the whole page, told by every request and stream.
//
//   up ──a request or a stream finds no one──► lost ──a probe is answered──► up
//
// While it is lost, `/health/live` is asked with growing pauses; when it answers, whatever
// subscribed to `onReturn` reads again. A hidden page does not ask.
import { useSyncExternalStore } from "react";

export type Connection = { state: "up" } | { state: "lost"; since: number; attempts: number };

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;

let connection: Connection = { state: "up" };
let probe: ReturnType<typeof setTimeout> | undefined;
const readers = new Set<() => void>();
const returned = new Set<() => void>();

export function reportUp(): void {
  if (connection.state === "up") return;
  clearTimeout(probe);
  probe = undefined;
  set({ state: "up" });
  for (const each of returned) each();
}

export function reportLost(): void {
  if (connection.state === "lost") return;
  set({ state: "lost", since: Date.now(), attempts: 0 });
  probeAfter(FIRST_PAUSE);
}

/** Asks at once, as a reader who presses "try now" expects. */
export function probeNow(): void {
  if (connection.state === "lost") probeAfter(0);
}

/** Calls `listener` each time the server is back; gives what ends that. */
export function onReturn(listener: () => void): () => void {
  returned.add(listener);
  return () => void returned.delete(listener);
}

export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, () => connection);
}

function subscribe(reader: () => void): () => void {
  readers.add(reader);
  return () => void readers.delete(reader);
}

function set(next: Connection): void {
  connection = next;
  for (const reader of readers) reader();
}

function probeAfter(pause: number): void {
  clearTimeout(probe);
  probe = setTimeout(async () => {
    if (connection.state !== "lost") return;
    if (document.hidden) return probeWhenShown();
    try {
      const answer = await fetch("/health/live", { cache: "no-store", signal: AbortSignal.timeout(3_000) });
      // A proxy in front of a server that is gone answers with 502 or 504.
      if (answer.ok) return reportUp();
    } catch {
      // No one there: ask again.
    }
    if (connection.state !== "lost") return;
    set({ ...connection, attempts: connection.attempts + 1 });
    probeAfter(Math.min(FIRST_PAUSE * 2 ** connection.attempts, LONGEST_PAUSE));
  }, pause);
}

function probeWhenShown(): void {
  document.addEventListener("visibilitychange", () => probeAfter(0), { once: true });
}
