/**
 * Numbers as the server writes them: JSON numbers, and text where a browser's number could not hold every digit.
 *
 * Invariants: what is shown, compared or rounded here is worked out on the digits themselves. A value passes
 * through a float in one place only, `position`, and that result is a place on a screen, never a text.
 */

/** A number in a row: whole numbers up to 2^53 as such, larger ones and decimals as text. */
export type Numeric = number | bigint | string;

interface Digits {
  negative: boolean;
  /** Without leading zeros; "0" for none. */
  whole: string;
  /** Without trailing zeros. */
  fraction: string;
}

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;

function digits(value: unknown): Digits | null {
  const text = plain(value);
  const match = text === null ? null : DECIMAL.exec(text);
  if (!match) return null;
  const whole = (match[2] ?? "0").replace(/^0+(?=\d)/, "");
  const fraction = (match[3] ?? "").replace(/0+$/, "");
  const isZero = whole === "0" && fraction === "";
  return { negative: match[1] === "-" && !isZero, whole, fraction };
}

/** The value's digits as text; exponents, which only a double's text has, are written out. */
function plain(value: unknown): string | null {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return value;
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  const text = String(value);
  if (!/e/i.test(text)) return text;
  return value.toLocaleString("en-US", { useGrouping: false, maximumSignificantDigits: 17 });
}

/** Whether the value is a number, however it is written. */
export function isNumeric(value: unknown): value is Numeric {
  return digits(value) !== null;
}

/** Less than 0, 0 or more than 0, as `a` is below, equal to or above `b`. Exact at any length. */
export function compareNumeric(a: Numeric, b: Numeric): number {
  const [x, y] = [digits(a), digits(b)];
  if (!x || !y) return x ? -1 : y ? 1 : 0;
  if (x.negative !== y.negative) return x.negative ? -1 : 1;
  const order = compareMagnitude(x, y);
  return x.negative ? -order : order;
}

function compareMagnitude(x: Digits, y: Digits): number {
  if (x.whole.length !== y.whole.length) return x.whole.length - y.whole.length;
  if (x.whole !== y.whole) return x.whole < y.whole ? -1 : 1;
  if (x.fraction === y.fraction) return 0;
  return x.fraction < y.fraction ? -1 : 1;
}

/** Rounds to `places` decimals, half away from zero, by the digits. Fewer decimals are left as they are. */
function rounded(value: Digits, places: number): Digits {
  if (value.fraction.length <= places) return value;
  const up = value.fraction.charAt(places) >= "5";
  const kept = BigInt(value.whole + value.fraction.slice(0, places)) + (up ? 1n : 0n);
  const text = kept.toString().padStart(places + 1, "0");
  const whole = text.slice(0, text.length - places);
  const fraction = text.slice(text.length - places).replace(/0+$/, "");
  return { negative: value.negative && kept !== 0n, whole, fraction };
}

/** The minus sign, as wide as a digit's plus. */
const MINUS = "−";
/** Between thousands: narrow, and no place for a line to break. */
export const THIN_SPACE = "\u202f";

/** How a number is written. */
export interface NumberStyle {
  /** What is counted: a currency sign goes before the number, anything else after it. */
  unit?: string | null;
  /** At most so many decimals; without it, all there are. */
  most?: number;
  /** At least so many decimals, filled with zeros. */
  least?: number;
}

const CURRENCY = /^\p{Sc}$/u;

/** Decimals of a value as it stands. */
export function decimals(value: unknown): number {
  return digits(value)?.fraction.length ?? 0;
}

/** A number for people: grouped by thousands, exact unless `most` says otherwise. `null` if it is none. */
export function formatNumber(value: unknown, style: NumberStyle = {}): string | null {
  const exact = digits(value);
  if (!exact) return null;
  const isMoney = style.unit != null && CURRENCY.test(style.unit);
  const most = style.most ?? Infinity;
  const shown = Number.isFinite(most) ? rounded(exact, most) : exact;
  const least = Math.min(style.least ?? (isMoney ? 2 : 0), most);
  const fraction = shown.fraction.padEnd(least, "0");
  const whole = shown.whole.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  const number = fraction === "" ? whole : `${whole}.${fraction}`;
  const sign = shown.negative ? MINUS : "";
  if (!style.unit) return sign + number;
  return isMoney ? `${sign}${style.unit}${number}` : `${sign}${number}\u00a0${style.unit}`;
}

/** A place on a scale: the nearest float. Only for drawing. */
export function position(value: unknown): number | null {
  return digits(value) === null ? null : Number(value);
}

/** `1 event`, `2 events`: a count with its word. */
export function counted(count: Numeric, word: string): string {
  return `${formatNumber(count) ?? "–"} ${word}${String(count) === "1" ? "" : "s"}`;
}
