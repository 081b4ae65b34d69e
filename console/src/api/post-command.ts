// The command that sends an event. Moments of the example become the present, so that the event counts now.
import { writeJson, type Json } from "./json";

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const NOW = "\u0000now\u0000";
/** A longer example helps no one. */
const LONGEST = 2_000;

/** A line for a shell: single quotes inside the data end and begin the quoting again. */
export function postCommand(origin: string, topic: string, example: Json = null): string {
  const fits = example !== null && writeJson(example).length <= LONGEST;
  const data = writeJson(fits ? withMoments(example, NOW) : { id: 1, at: NOW })
    .replaceAll("'", "'\\''")
    .replaceAll(JSON.stringify(NOW), `"'$(date -u +%FT%TZ)'"`);
  return `curl ${origin}/events/${topic} \\\n  -H 'content-type: application/json' \\\n  -d '${data}'`;
}

/** The same data with the moments of its fields set to `at`. */
export function withMoments(value: Json, at: string): Json {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const entries = Object.entries(value as { [key: string]: Json });
  return Object.fromEntries(
    entries.map(([key, each]) => [key, typeof each === "string" && MOMENT.test(each) ? at : each]),
  );
}
