/** A cell's value as one line of text. */
export function asText(value: unknown): string {
  if (value == null) return "";
  if (typeof value === "object") {
    return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? each.toString() : each));
  }
  return String(value);
}
