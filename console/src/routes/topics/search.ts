// What a reader is looking at in a topic, as the address says it. Anything unreadable falls back to the default.
import type { FilterKind } from "./matcher";

export type Tab = "messages" | "consumers" | "config";
export type From = "tail" | "earliest" | "latest" | "offset" | "time";

export interface TopicSearch {
  tab?: Tab;
  /** Where to begin; without it the live tail. */
  from?: From;
  partition?: number;
  offset?: string;
  /** RFC 3339. */
  at?: string;
  /** What the key or the value must hold. */
  q?: string;
  /** `q` is a regular expression. */
  regex?: true;
  /** `q` is conditions on fields. */
  fields?: true;
  /** The message that is open: `partition:offset`. */
  message?: string;
}

const FROM: readonly From[] = ["tail", "earliest", "latest", "offset", "time"];

export function parseSearch(raw: Record<string, unknown>): TopicSearch {
  const text = (name: string) => (raw[name] === undefined || raw[name] === "" ? undefined : String(raw[name]));
  const partition = Number(raw.partition);
  const offset = text("offset");
  const message = text("message");
  const from = FROM.find((each) => each === raw.from);
  return dropAbsent({
    tab: (["consumers", "config"] as const).find((each) => each === raw.tab),
    from: from === "tail" ? undefined : from,
    partition: raw.partition !== undefined && Number.isInteger(partition) && partition >= 0 ? partition : undefined,
    offset: offset && /^-?\d+$/.test(offset) ? offset : undefined,
    at: text("at"),
    q: text("q"),
    regex: raw.regex === true || raw.regex === "true" ? (true as const) : undefined,
    fields: raw.fields === true || raw.fields === "true" ? (true as const) : undefined,
    message: message && /^\d+:\d+$/.test(message) ? message : undefined,
  });
}

/** How the text of the filter is taken. */
export function kindOf({ regex, fields }: TopicSearch): FilterKind {
  return fields ? "fields" : regex ? "regex" : "text";
}

/** How the list of topics is narrowed and ordered. */
export interface TopicListSearch {
  q?: string;
  sort?: "records" | "bytes" | "rate" | "name";
}

export function parseListSearch(raw: Record<string, unknown>): TopicListSearch {
  const sort = (["records", "bytes", "rate"] as const).find((each) => each === raw.sort);
  return dropAbsent({ q: raw.q === undefined || raw.q === "" ? undefined : String(raw.q), sort });
}

function dropAbsent<T extends object>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;
}
