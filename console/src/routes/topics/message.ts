// A message as a list shows it: its place, its key and the beginning of its value. Small whatever its size was;
// the whole is read again when it is opened.
import { writeJson, type Json } from "../../api/json";
import type { RecordView } from "../../api/queries";
import { bytes } from "../../ui/number";

export interface Message {
  partition: number;
  offset: string;
  timestamp: string | null;
  key: string | null;
  preview: string;
  /** Whether `preview` speaks about the value instead of quoting it. */
  about: boolean;
}

/** Offsets of a partition that hold something, and nothing that can be read. */
export interface Unreadable {
  partition: number;
  from: string;
  /** Where reading goes on. */
  next: string;
  reason: string;
}

/** What stands in a list of messages. */
export type Entry = Message | Unreadable;

export function isUnreadable(entry: Entry): entry is Unreadable {
  return "reason" in entry;
}

/** `partition:offset`, of the first one where there are several. */
export function placeOf(entry: Entry): string {
  return `${entry.partition}:${isUnreadable(entry) ? entry.from : entry.offset}`;
}

/** Which offsets they are, in words. */
export function rangeOf({ from, next }: Unreadable): string {
  const last = BigInt(next) - 1n;
  return last <= BigInt(from) ? `offset ${from} cannot be read` : `offsets ${from} to ${last} cannot be read`;
}

const PREVIEW = 400;

export function messageOf(record: RecordView): Message {
  const { partition, offset, timestamp, key_encoding } = record;
  return {
    partition,
    offset,
    timestamp: timestamp ?? null,
    key:
      record.key == null
        ? null
        : key_encoding === "base64"
          ? `base64 ${record.key.slice(0, PREVIEW)}`
          : record.key.slice(0, PREVIEW),
    ...previewOf(record),
  };
}

/** What a filter looks into: the key and the value as text. Binary values are not searched. */
export function searchable(record: RecordView): string {
  const value =
    record.value_encoding === "json"
      ? writeJson(record.value as Json)
      : record.value_encoding === "text"
        ? String(record.value)
        : "";
  return record.key == null ? value : `${record.key}\n${value}`;
}

/** Bytes of what base64 stands for. */
export function binarySize(base64: string): number {
  return Math.floor((base64.replace(/=+$/, "").length * 3) / 4);
}

function previewOf(record: RecordView): { preview: string; about: boolean } {
  switch (record.value_encoding) {
    case "null":
      return { preview: "no value (tombstone)", about: true };
    case "base64":
      return { preview: `binary, ${bytes(binarySize(String(record.value)))}`, about: true };
    case "json":
      return { preview: writeJson(record.value as Json).slice(0, PREVIEW), about: false };
    default:
      return { preview: String(record.value).slice(0, PREVIEW), about: false };
  }
}
