// The text of a schema, set for people to read. Of JSON, blanks between its parts alone change: order, digits and escapes stay.
import { parseExact } from "~/api/json";

/** The text on lines of its own; what is not JSON stays as it is. */
export function pretty(text: string, type: string | null | undefined): string {
  if (type === "PROTOBUF") return text.trimEnd();
  try {
    parseExact(text);
  } catch {
    return text;
  }
  return indented(text);
}

/** Strings whole, then blanks, then single characters; what stands between these is numbers and words. */
const PART = /"(?:[^"\\]|\\.)*"|[ \t\r\n]+|[{}[\],:]|[^"\s{}[\],:]+/g;

function indented(json: string): string {
  const parts = (json.match(PART) ?? []).filter((part) => !/^\s/.test(part));
  const line = (level: number) => `\n${"  ".repeat(level)}`;
  const out: string[] = [];
  let level = 0;
  parts.forEach((part, index) => {
    const before = parts[index - 1];
    const opens = part === "{" || part === "[";
    const closes = part === "}" || part === "]";
    const empty = before === "{" || before === "[";
    if (closes) level -= 1;
    if ((closes && !empty) || (!closes && (empty || before === ","))) out.push(line(level));
    out.push(part === ":" ? ": " : part);
    if (opens) level += 1;
  });
  return out.join("");
}
