// Messages as a file: all that a search finds from its place on, whole, as NDJSON or CSV.
//
// Invariants: a file ends after `MOST` messages or `MOST_BYTES` characters, and the reader is told that there is more; every
// digit of a number is as it was sent.
import { writeJson, type Json } from "../../api/json";
import type { RecordView } from "../../api/queries";
import { Browse, type Fetch, type Start } from "./browse";
import type { Matcher } from "./matcher";

export type Format = "ndjson" | "csv";

export const MOST = 10_000;
const MOST_BYTES = 64 << 20;

export interface ExportProgress {
  messages: number;
  looked_at: number;
}

export interface ExportFile {
  content: Blob;
  messages: number;
  /** Whether it ends before what was found did. */
  isCut: boolean;
}

interface ExportOptions {
  fetch: Fetch;
  start: Start;
  matcher: Matcher;
  partitions: { partition: number; log_start: string; high_watermark: string }[];
  format: Format;
  onProgress: (progress: ExportProgress) => void;
  signal: AbortSignal;
}

export async function exportMessages(options: ExportOptions): Promise<ExportFile> {
  const { matcher, format, signal } = options;
  const lines: string[] = format === "csv" ? [row(COLUMNS)] : [];
  const progress: ExportProgress = { messages: 0, looked_at: 0 };
  let size = 0;
  let isCut = false;
  const taking: Matcher = {
    ...matcher,
    record: (record) => {
      if (!matcher.record(record)) return false;
      if (progress.messages >= MOST || size >= MOST_BYTES) isCut = true;
      else {
        const line = format === "csv" ? csvLine(record) : `${writeJson(record as unknown as Json)}\n`;
        lines.push(line);
        size += line.length;
        progress.messages += 1;
      }
      return true;
    },
  };
  const walk = new Browse(options.fetch, options.start, taking, options.partitions);
  for (let done = false; !done && !isCut;) {
    signal.throwIfAborted();
    const found = await walk.next();
    progress.looked_at += found.scanned;
    options.onProgress({ ...progress });
    done = found.done;
  }
  const type = format === "csv" ? "text/csv" : "application/x-ndjson";
  return { content: new Blob(lines, { type }), messages: progress.messages, isCut };
}

const COLUMNS = ["partition", "offset", "timestamp", "key", "value"];

function csvLine(record: RecordView): string {
  const value = record.value_encoding === "json" ? writeJson(record.value as Json) : record.value;
  const cells = [record.partition, record.offset, record.timestamp, record.key, value];
  return row(cells.map((each) => (each === null || each === undefined ? "" : String(each))));
}

/** RFC 4180: what holds a comma, a quote or a line break is quoted. */
function row(cells: string[]): string {
  return `${cells.map((each) => (/[",\r\n]/.test(each) ? `"${each.replaceAll('"', '""')}"` : each)).join(",")}\r\n`;
}
