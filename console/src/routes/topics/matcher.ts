// What a filter lets through: text without regard to case, a regular expression, or conditions on fields; and one partition or all.
import { fits, parseConditions } from "./fields";
import type { RecordView } from "../../api/queries";
import { searchable } from "./message";

export interface Matcher {
  /** Whether everything passes, so that nothing need be parsed to know. */
  readonly all: boolean;
  /** A cheap no for the text of a record as the server sent it; a yes must be asked of `record`. */
  maybe(raw: string): boolean;
  record(record: RecordView): boolean;
}

/** How the text of a filter is taken. */
export type FilterKind = "text" | "regex" | "fields";

/** Throws `SyntaxError` if `q` is to be a regular expression or conditions, and is none. */
export function matcher(q: string | undefined, kind: FilterKind, partition?: number): Matcher {
  const inPartition = (record: RecordView) => partition === undefined || record.partition === partition;
  if (!q) return { all: partition === undefined, maybe: () => true, record: inPartition };
  if (kind === "fields") {
    const conditions = parseConditions(q);
    return { all: false, maybe: () => true, record: (record) => inPartition(record) && fits(record, conditions) };
  }
  if (kind === "regex") {
    const pattern = new RegExp(q, "i");
    return {
      all: false,
      maybe: () => true,
      record: (record) => inPartition(record) && pattern.test(searchable(record)),
    };
  }
  const needle = q.toLowerCase();
  // Plain letters and digits stand in JSON as they are, unless the sender wrote them as \u escapes.
  const plain = /^[\w @.+-]+$/.test(needle);
  return {
    all: false,
    maybe: (raw) => !plain || raw.includes("\\u") || raw.toLowerCase().includes(needle),
    record: (record) => inPartition(record) && searchable(record).toLowerCase().includes(needle),
  };
}
