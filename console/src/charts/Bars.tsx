/**
 * Bars, one line each: what it is, its length, its number.
 *
 * They are plain elements: labels break over lines instead of meeting each other, text can be selected and found, and
 * who hears the page hears a list.
 */
import { formatNumber, isNumeric, position } from "./decimal";
import { asText } from "./cell";
import type { Row } from "./columns";

export interface BarsProps {
  rows: readonly Row[];
  /** The column that names each bar. */
  by: string;
  /** The column that each bar is as long as. */
  value: string;
  unit?: string | null;
  label: string;
}

/** More bars than these are read as a table. */
export const MOST_BARS = 40;

export function Bars({ rows, by, value, unit, label }: BarsProps) {
  const shown = rows.slice(0, MOST_BARS);
  const scale = extent(shown.map((row) => position(row[value])));
  const left = rows.length - shown.length;
  return (
    <div className="bars-frame">
      <ul className="bars" aria-label={label}>
        {shown.map((row, index) => (
          <Bar key={`${asText(row[by])}\u0000${index}`} name={row[by]} value={row[value]} unit={unit} scale={scale} />
        ))}
      </ul>
      {left > 0 && <p className="chart-note">{formatNumber(left)} more in the table</p>}
    </div>
  );
}

interface Scale {
  /** Where zero is, as a part of the width. */
  zero: number;
  /** What the whole width is worth. */
  span: number;
}

function extent(values: readonly (number | null)[]): Scale {
  let [low, high] = [0, 0];
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const span = high - low || 1;
  return { zero: -low / span, span };
}

function Bar({ name, value, unit, scale }: { name: unknown; value: unknown; unit?: string | null; scale: Scale }) {
  const length = position(value) ?? 0;
  const width = Math.abs(length) / scale.span;
  const start = length < 0 ? scale.zero - width : scale.zero;
  const number = isNumeric(value) ? formatNumber(value, { unit }) : "—";
  return (
    <li className="bar">
      <span className="bar-name">{name == null ? "(none)" : asText(name)}</span>
      <span className="bar-track" aria-hidden="true">
        <span
          className="bar-length"
          data-negative={length < 0 || undefined}
          style={{ insetInlineStart: `${start * 100}%`, inlineSize: `${width * 100}%` }}
        />
      </span>
      <span className="bar-value">{number}</span>
    </li>
  );
}
