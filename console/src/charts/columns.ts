/** What a column's type means for how it is shown. */

/** A column as the server describes it. */
export interface Column {
  name: string;
  type: string;
  nullable?: boolean;
}

/** A row as it came: column names to values. */
export type Row = Record<string, unknown>;

export type Kind = "number" | "time" | "text" | "boolean" | "nested";

const KINDS: Record<string, Kind> = {
  integer: "number",
  bigint: "number",
  double: "number",
  decimal: "number",
  timestamp: "time",
  date: "time",
  boolean: "boolean",
  list: "nested",
  struct: "nested",
};

export function kindOf(column: Column): Kind {
  return KINDS[column.type] ?? "text";
}

/** Whether a number names something rather than counts it: such columns are not worth a chart. */
export function isIdentifier(column: Column): boolean {
  return /(^|_)(id|key|partition|offset|number|code|zip|year)$/i.test(snake(column.name));
}

function snake(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
}

/** The chart that suits a view's columns. */
export type ChartForm =
  | { form: "line"; over: string; values: string[] }
  | { form: "bar"; by: string; value: string }
  | { form: "number"; values: string[] };

/**
 * Chooses by the columns' types: a time column gives a line over it, a text (or an identifier) beside a number gives
 * bars, numbers alone give large figures. `null` if no number is there to be drawn.
 */
export function chartFor(columns: readonly Column[]): ChartForm | null {
  const numbers = columns.filter((column) => kindOf(column) === "number");
  const counted = numbers.filter((column) => !isIdentifier(column));
  const time = columns.find((column) => kindOf(column) === "time");
  const values = (counted.length > 0 ? counted : numbers).map((column) => column.name);
  const [first] = values;
  if (first === undefined) return null;
  if (time) return { form: "line", over: time.name, values };
  const text = columns.find((column) => kindOf(column) === "text" || kindOf(column) === "boolean");
  const by = text ?? numbers.find((column) => isIdentifier(column) && !values.includes(column.name));
  return by ? { form: "bar", by: by.name, value: first } : { form: "number", values };
}
