// Where a group is to go, as a form has it and as the server takes it.
import type { Json } from "~/api/json";

export type Place = "earliest" | "latest" | "offset" | "time" | "shift";

export const PLACES: { place: Place; name: string }[] = [
  { place: "earliest", name: "Earliest: read everything again" },
  { place: "latest", name: "Latest: skip what is unread" },
  { place: "offset", name: "An offset" },
  { place: "time", name: "A time" },
  { place: "shift", name: "Shift from where it is" },
];

export interface Wish {
  /** Without it, every topic that the group has committed offsets of. */
  topic?: string;
  /** `0, 3-5`; nothing stands for all. */
  partitions: string;
  place: Place;
  offset: string;
  /** RFC 3339. */
  at: string;
  shift: string;
}

interface Body {
  request: Record<string, Json>;
  /** What is wrong, and in which field. */
  field?: string;
  problem?: string;
}

export function bodyOf(wish: Wish): Body {
  const request: Record<string, Json> = {};
  if (wish.topic !== undefined) request.topic = wish.topic;
  const partitions = parsePartitions(wish.partitions);
  if (partitions === null) return { request, field: "partitions", problem: "numbers and ranges, such as 0, 3-5" };
  if (partitions.length > 0) request.partitions = partitions;
  switch (wish.place) {
    case "offset":
      if (!/^-?\d{1,18}$/.test(wish.offset.trim())) {
        return { request, field: "offset", problem: "a whole number; -10 is ten before the end" };
      }
      return { request: { ...request, to: wish.offset.trim() } };
    case "time":
      return { request: { ...request, to: wish.at } };
    case "shift":
      if (!/^[+-]?\d{1,15}$/.test(wish.shift.trim())) {
        return { request, field: "shift", problem: "a whole number, such as -100" };
      }
      return { request: { ...request, shift_by: Number(wish.shift) } };
    default:
      return { request: { ...request, to: wish.place } };
  }
}

/** No topic has more partitions. */
const MOST = 1_000;

/** The partitions that a text names; `null` if it names none. */
export function parsePartitions(text: string): number[] | null {
  const found = new Set<number>();
  for (const part of text.split(/[\s,]+/).filter((each) => each !== "")) {
    const [, from, to = from] = /^(\d{1,6})(?:[-–](\d{1,6}))?$/.exec(part) ?? [];
    if (from === undefined || to === undefined || Number(to) < Number(from)) return null;
    if (Number(to) - Number(from) >= MOST) return null;
    for (let each = Number(from); each <= Number(to); each += 1) found.add(each);
  }
  return [...found].sort((a, b) => a - b);
}
