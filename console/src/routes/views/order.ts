/**
 * The order of a view's rows.
 *
 * A change says which rows came and went, not where they stand; the view's own ORDER BY says it, so it is read from
 * the statement. Where it is more than columns by name or number, rows keep the places that they have.
 */
import { compareNumeric, isNumeric } from "../../charts/decimal";
import { asText } from "../../charts/cell";
import { kindOf, type Column, type Row } from "../../charts/columns";

export interface Key {
  column: string;
  descending: boolean;
  nullsFirst: boolean;
}

/** `-sold,title` as keys; names that no column has are passed over. */
export function parseSort(text: string, columns: readonly Column[]): Key[] {
  return text.split(",").flatMap((part) => {
    const descending = part.startsWith("-");
    const column = descending ? part.slice(1) : part;
    if (!columns.some((known) => known.name === column)) return [];
    return [{ column, descending, nullsFirst: descending }];
  });
}

/** The last ORDER BY of the statement's outermost SELECT, as keys; empty if there is none that columns answer. */
export function orderOf(sql: string, columns: readonly Column[]): Key[] {
  const tokens = outermost(sql);
  let start = -1;
  for (let at = 0; at + 1 < tokens.length; at += 1) {
    if (isWord(tokens[at], "ORDER") && isWord(tokens[at + 1], "BY")) start = at + 2;
  }
  if (start < 0) return [];
  const end = tokens.findIndex((token, at) => at >= start && ENDS.some((word) => isWord(token, word)));
  const items = split(tokens.slice(start, end < 0 ? undefined : end));
  const keys: Key[] = [];
  for (const item of items) {
    const key = keyOf(item, columns);
    if (!key) return [];
    keys.push(key);
  }
  return keys;
}

const ENDS = ["LIMIT", "OFFSET", "FETCH", "EMIT", ";"];

/** Tokens outside parentheses, comments left out; what stands in parentheses is one token. */
function outermost(sql: string): string[] {
  const pattern = /--[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"]|"")*"|'(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_]*|\d+|\S/g;
  const tokens: string[] = [];
  let depth = 0;
  for (const [token] of sql.matchAll(pattern)) {
    if (token.startsWith("--") || token.startsWith("/*")) continue;
    if (token === "(") depth += 1;
    if (depth === 0) tokens.push(token);
    if (token === ")") {
      depth -= 1;
      if (depth === 0) tokens.push("()");
    }
  }
  return tokens;
}

function isWord(token: string | undefined, word: string): boolean {
  return token?.toUpperCase() === word;
}

function split(tokens: readonly string[]): string[][] {
  const items: string[][] = [[]];
  for (const token of tokens) {
    if (token === ",") items.push([]);
    else items[items.length - 1]?.push(token);
  }
  return items;
}

function keyOf(item: readonly string[], columns: readonly Column[]): Key | null {
  const [name, ...rest] = item;
  if (name === undefined) return null;
  const words = rest.map((word) => word.toUpperCase()).join(" ");
  const match = /^(ASC|DESC)?\s*(NULLS (FIRST|LAST))?$/.exec(words);
  const column = columnOf(name, columns);
  if (!match || !column) return null;
  const descending = match[1] === "DESC";
  return { column, descending, nullsFirst: match[3] ? match[3] === "FIRST" : descending };
}

function columnOf(token: string, columns: readonly Column[]): string | null {
  if (/^\d+$/.test(token)) return columns[Number(token) - 1]?.name ?? null;
  const name = token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token;
  const exact = columns.find((column) => column.name === name);
  const near = columns.filter((column) => squashed(column.name) === squashed(name));
  return exact?.name ?? (near.length === 1 ? (near[0]?.name ?? null) : null);
}

/** As the server compares names: without case and underscores. */
function squashed(name: string): string {
  return name.toLowerCase().replaceAll("_", "");
}

/** Rows in the order of `keys`; rows that they do not tell apart stay as they stand. */
export function sortRows(rows: readonly Row[], keys: readonly Key[], columns: readonly Column[]): Row[] {
  if (keys.length === 0) return rows.slice();
  const compares = keys.map((key) => {
    const column = columns.find((known) => known.name === key.column);
    const kind = column ? kindOf(column) : "text";
    const compare = kind === "number" ? numbers : kind === "time" ? instants : values;
    return (a: Row, b: Row) => withNulls(a[key.column], b[key.column], key, compare);
  });
  return rows.slice().sort((a, b) => {
    for (const compare of compares) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  });
}

function withNulls(a: unknown, b: unknown, key: Key, compare: (a: unknown, b: unknown) => number): number {
  if (a == null || b == null) {
    if (a == null && b == null) return 0;
    return (a == null) === key.nullsFirst ? -1 : 1;
  }
  return key.descending ? -compare(a, b) : compare(a, b);
}

function numbers(a: unknown, b: unknown): number {
  return isNumeric(a) && isNumeric(b) ? compareNumeric(a, b) : values(a, b);
}

/** Instants are all in UTC; without the Z a second stands before its fractions, as text does. */
function instants(a: unknown, b: unknown): number {
  return values(asText(a).replace(/Z$/, ""), asText(b).replace(/Z$/, ""));
}

/** Text by its code units. */
function values(a: unknown, b: unknown): number {
  const [x, y] = [asText(a), asText(b)];
  return x === y ? 0 : x < y ? -1 : 1;
}
