// Numbers in words a reader can compare: grouped digits, sizes in powers of 1024, rates that do not twitch.
//
// Counts may be 64-bit numbers as text; they are grouped without passing through a double.

const GROUP = /\B(?=(\d{3})+(?!\d))/g;
const THIN_SPACE = "\u202f";

/** `1234567` → `1 234 567`, with a narrow space. Fractions are kept as given. */
export function grouped(value: number | bigint | string): string {
  const [whole = "", fraction] = String(value).split(".");
  const digits = whole.replace(GROUP, THIN_SPACE);
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}

/** A rate per second: one digit after the point below ten, none above. */
export function rate(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return "–";
  if (value > 0 && value < 0.1) return "< 0.1";
  return value > 0 && value < 9.95 ? value.toFixed(1) : grouped(Math.round(value));
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** `1536` → `1.5 KiB`. */
export function bytes(value: number | bigint | string): string {
  let size = Number(value);
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const text = unit > 0 && size < 99.95 ? size.toFixed(1) : String(Math.round(size));
  return `${text} ${UNITS[unit]}`;
}

/** Seconds in the two largest units that say something: `3 h 12 min`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const [d, h, m] = [Math.floor(s / 86_400), Math.floor(s / 3_600) % 24, Math.floor(s / 60) % 60];
  if (d > 0) return `${d} d ${h} h`;
  if (h > 0) return `${h} h ${m} min`;
  if (m > 0) return `${m} min ${s % 60} s`;
  return `${s} s`;
}

/** `1 event`, `1 234 events`. */
export function counted(count: number | bigint, noun: string): string {
  return `${grouped(count)} ${noun}${Number(count) === 1 ? "" : "s"}`;
}
