// Filters on fields: `Total >= 9 and customer.region = Region1`.
//
//   filter     = condition { "and" condition }
//   condition  = path operator value  |  path "exists"
//   operator   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" (has, in any case)
//   path       = name { "." name }, or "key", "header.NAME"; a name with blanks or signs stands in double quotes
//
// A path goes into the value. What is not there fits no condition but `!=`. Two numbers are compared as numbers, with every
// digit; anything else as text.
import { Digits, type Json } from "../../api/json";
import type { RecordView } from "../../api/queries";

type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "exists";

export interface Condition {
  path: string[];
  operator: Operator;
  value: string;
}

const NAME = /\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"=<>!~.]+))/y;
const DOT = /\s*\./y;
const OPERATOR = /\s*(!=|<=|>=|[=<>~]|exists\b)/iy;
const QUOTED = /\s*"((?:[^"\\]|\\.)*)"/y;
/** Up to the next condition, or the end. */
const BARE = /\s*(.*?)(?=\s+and(?:\s|$)|\s*$)/isy;
const AND = /\s+and(?=\s|$)/iy;

/** Throws `SyntaxError` that says what is missing. */
export function parseConditions(text: string): Condition[] {
  const conditions: Condition[] = [];
  const end = text.trimEnd().length;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  for (;;) {
    const path: string[] = [];
    do {
      const name = take(NAME);
      if (!name) throw new SyntaxError("name a field, such as Total >= 9");
      path.push(name[1] === undefined ? (name[2] ?? "") : unquoted(name[1]));
    } while (take(DOT));
    const operator = take(OPERATOR)?.[1]?.toLowerCase() as Operator | undefined;
    if (!operator) throw new SyntaxError(`after ${path.join(".")} write one of = != < <= > >= ~ or exists`);
    const quoted = operator === "exists" ? null : take(QUOTED);
    const bare = operator === "exists" || quoted ? "" : (take(BARE)?.[1] ?? "");
    if (operator !== "exists" && !quoted && bare === "") {
      throw new SyntaxError(`after ${operator} write a value; "" is an empty one`);
    }
    conditions.push({ path, operator, value: quoted ? unquoted(quoted[1] ?? "") : bare });
    if (at >= end) return conditions;
    if (!take(AND)) throw new SyntaxError(`cannot read "${text.slice(at).trim()}"; conditions are joined with "and"`);
  }
}

function unquoted(text: string): string {
  return text.replaceAll(/\\(.)/g, "$1");
}

/** Whether a record fits all conditions. */
export function fits(record: RecordView, conditions: readonly Condition[]): boolean {
  return conditions.every((condition) => fitsOne(valueAt(record, condition.path), condition));
}

function valueAt(record: RecordView, path: readonly string[]): Json | undefined {
  const [first, ...rest] = path;
  if (path.length === 1 && first === "key") return record.key ?? undefined;
  if (path.length > 1 && first === "header") {
    return record.headers.find((each) => each.key === rest.join("."))?.value ?? undefined;
  }
  let value: Json | undefined = record.value_encoding === "json" ? (record.value as Json) : undefined;
  for (const name of path) {
    if (value === null || typeof value !== "object" || value instanceof Digits) return undefined;
    if (Array.isArray(value)) value = value[Number(name)];
    else value = Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

function fitsOne(found: Json | undefined, { operator, value }: Condition): boolean {
  if (operator === "exists") return found !== undefined;
  if (found === undefined) return operator === "!=";
  const text =
    found === null
      ? "null"
      : typeof found === "object" && !(found instanceof Digits)
        ? JSON.stringify(found)
        : String(found);
  if (operator === "~") return text.toLowerCase().includes(value.toLowerCase());
  const order = compare(text, value);
  switch (operator) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

const DECIMAL = /^([+-]?)0*(\d*)(?:\.(\d*?)0*)?$/;

/** Below zero, zero, or above it, as `a` is before, like, or behind `b`. */
function compare(a: string, b: string): number {
  const [x, y] = [decimal(a), decimal(b)];
  if (x && y) {
    const width = Math.max(x.fraction.length, y.fraction.length);
    const scaled = ({ sign, whole, fraction }: Decimal) =>
      sign * BigInt(`${whole || "0"}${fraction.padEnd(width, "0")}`);
    const [p, q] = [scaled(x), scaled(y)];
    return p < q ? -1 : p > q ? 1 : 0;
  }
  const [p, q] = [Number(a), Number(b)];
  if (a.trim() !== "" && b.trim() !== "" && !Number.isNaN(p) && !Number.isNaN(q)) return p - q;
  return a < b ? -1 : a > b ? 1 : 0;
}

interface Decimal {
  sign: bigint;
  whole: string;
  fraction: string;
}

/** A number in plain notation, of a length that is worth comparing exactly. */
function decimal(text: string): Decimal | null {
  if (text.length > 60 || !/\d/.test(text)) return null;
  const found = DECIMAL.exec(text);
  return found && { sign: found[1] === "-" ? -1n : 1n, whole: found[2] ?? "", fraction: found[3] ?? "" };
}
