/** Instants on a chart's axis, in UTC: views cut their windows and days there. */

/** Seconds since 1970 of an instant or a date as the server writes it; `null` if it is none. */
export function seconds(value: unknown): number | null {
  if (typeof value !== "string") return null;
  const milliseconds = Date.parse(value);
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const two = (number: number) => String(number).padStart(2, "0");

/** An instant, no finer than `step` seconds. */
export function instantLabel(at: number, step: number): string {
  const date = new Date(at * 1000);
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  if (step >= 28 * 86_400) return `${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  if (step >= 86_400) return day;
  const minute = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  if (step >= 60) return minute;
  const second = `${minute}:${two(date.getUTCSeconds())}`;
  return step >= 1 ? second : `${second}.${String(date.getUTCMilliseconds()).padStart(3, "0")}`;
}

/** Labels of an axis: the hour, and the day with it where a day begins. */
export function axisLabels(splits: readonly number[], step: number): string[] {
  let day = "";
  return splits.map((at) => {
    const label = instantLabel(at, step);
    const today = instantLabel(at, 86_400);
    const isNewDay = day !== "" && day !== today;
    day = today;
    return isNewDay && step < 86_400 ? `${label}\n${today}` : label;
  });
}
