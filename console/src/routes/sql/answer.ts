// A query's answer: its rows, and columns as far as values tell them, since an answer does not name types.
import { isNumeric } from "~/charts/decimal";
import type { Column, Row } from "~/charts/columns";
import type { Freshness } from "../views/freshness";

export interface Answer extends Freshness {
  rows: Row[];
}

/** Rows that decide what a column holds. */
const SAMPLE = 500;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z$/;
/** Text of digits that a number would not be written as: leading zeros, such as in postal codes. */
const LEADING_ZERO = /^-?0\d/;

export function columnsOf(rows: readonly Row[]): Column[] {
  const [first] = rows;
  if (!first) return [];
  return Object.keys(first).map((name) => ({ name, type: typeOf(rows.slice(0, SAMPLE).map((row) => row[name])) }));
}

function typeOf(values: readonly unknown[]): string {
  const present = values.filter((value) => value !== null && value !== undefined);
  if (present.length === 0) return "text";
  const all = (test: (value: unknown) => boolean) => present.every(test);
  if (all((value) => isNumeric(value) && !LEADING_ZERO.test(String(value)))) return "decimal";
  if (all((value) => typeof value === "string" && INSTANT.test(value))) return "timestamp";
  if (all((value) => typeof value === "boolean")) return "boolean";
  return all((value) => typeof value === "object") ? "struct" : "text";
}
