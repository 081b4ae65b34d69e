/**
 * Lines over time.
 *
 * The canvas is for the eye only. What it says stands beside it in text: the legend's buttons show and hide lines,
 * the arrow keys move the cursor, and the values at the cursor are read from the rows themselves, exact to the digit.
 */
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Row } from "./columns";
import { formatNumber, position } from "./decimal";
import { instantLabel, seconds } from "./instant";
import { plotOptions } from "./plot";
import { SERIES, useChartTheme } from "./theme";

export interface TimeSeriesProps {
  rows: readonly Row[];
  over: string;
  values: readonly string[];
  unit?: string | null;
  label: string;
  height?: number;
  /** Only the newest so many points. */
  last?: number | null;
  /** The moment that the rows answer for: a span that goes beyond it is not over yet. */
  asOf?: string | null;
}

/** Points in order of time, and the rows that they stand for. */
interface Points {
  rows: Row[];
  data: uPlot.AlignedData;
}

function pointsOf(rows: readonly Row[], over: string, values: readonly string[], last?: number | null): Points {
  const timed = rows.flatMap((row) => {
    const at = seconds(row[over]);
    return at === null ? [] : [{ at, row }];
  });
  timed.sort((a, b) => a.at - b.at);
  const kept = last ? timed.slice(-last) : timed;
  const lines = values.map((name) => kept.map(({ row }) => position(row[name])));
  return { rows: kept.map(({ row }) => row), data: [kept.map(({ at }) => at), ...lines] };
}

/** Whether the newest span, as long as the one before it, was not over at `asOf`: its value still grows. */
function isUnfinished({ data: [times] }: Points, asOf?: string | null): boolean {
  const [before, newest] = [times.at(-2), times.at(-1)];
  const now = seconds(asOf);
  return before !== undefined && newest !== undefined && now !== null && newest + (newest - before) > now;
}

/** The line ends at the last whole span; the way from there to the newest is a line of its own. */
function withOpenEnd({ rows, data: [times, ...lines] }: Points): Points {
  const end = times.length - 1;
  const closed = lines.map((line) => Array.from(line, (value, index) => (index < end ? value : null)));
  const open = lines.map((line) => Array.from(line, (value, index) => (index < end - 1 ? null : value)));
  return { rows, data: [times, ...closed, ...open] };
}

function withoutOpenEnd({ rows, data: [times, ...lines] }: Points): Points {
  return { rows, data: [times, ...lines, ...lines.map((line) => Array.from(line, () => null))] };
}

export default function TimeSeries({ rows, over, values, unit, label, height = 220, last, asOf }: TimeSeriesProps) {
  const [frame, setFrame] = useState<HTMLDivElement | null>(null);
  const theme = useChartTheme(frame);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState<number | null>(null);
  const plot = useRef<uPlot | null>(null);
  const names = values.join("\u0000");
  const whole = useMemo(() => pointsOf(rows, over, names.split("\u0000"), last), [rows, over, names, last]);
  const isOpen = isUnfinished(whole, asOf);
  const points = useMemo(() => (isOpen ? withOpenEnd(whole) : withoutOpenEnd(whole)), [whole, isOpen]);
  const latest = useRef(points);
  latest.current = points;

  useEffect(() => {
    if (!frame || !theme) return;
    const width = Math.max(frame.clientWidth, 120);
    const request = { names: names.split("\u0000"), hidden, unit, width, height, theme, onCursor: setCursor };
    const made = new uPlot(plotOptions(request), latest.current.data, frame);
    plot.current = made;
    const resize = new ResizeObserver(() => made.setSize({ width: Math.max(frame.clientWidth, 120), height }));
    resize.observe(frame);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [frame, theme, names, hidden, unit, height]);

  useEffect(() => plot.current?.setData(points.data), [points]);

  const at = cursor !== null && cursor < points.rows.length ? cursor : points.rows.length - 1;
  const step = (event: KeyboardEvent) => {
    const next = stepped(event.key, at, points.rows.length);
    if (next === null || !plot.current) return;
    event.preventDefault();
    const left = plot.current.valToPos(Number(points.data[0][next]), "x");
    plot.current.setCursor({ left, top: height / 2 });
  };

  return (
    <div className="time-series">
      <Readout
        points={points}
        at={at}
        over={over}
        values={values}
        unit={unit}
        isOpen={isOpen}
        hidden={hidden}
        onToggle={(name) => setHidden(toggled(hidden, name))}
      />
      <div
        ref={setFrame}
        className="time-series-plot"
        style={{ height }}
        role="img"
        tabIndex={0}
        aria-label={`${label}: ${points.rows.length} points over ${over}. Left and right arrow keys move the cursor.`}
        onKeyDown={step}
        onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
      />
    </div>
  );
}

function stepped(key: string, at: number, count: number): number | null {
  if (count === 0) return null;
  switch (key) {
    case "ArrowLeft":
      return Math.max(0, at - 1);
    case "ArrowRight":
      return Math.min(count - 1, at + 1);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}

function toggled(hidden: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const next = new Set(hidden);
  if (!next.delete(name)) next.add(name);
  return next;
}

interface ReadoutProps {
  points: Points;
  at: number;
  over: string;
  values: readonly string[];
  unit?: string | null;
  isOpen: boolean;
  hidden: ReadonlySet<string>;
  onToggle: (name: string) => void;
}

/** The values at the cursor, or the newest ones; with several lines, also what shows and hides them. */
function Readout({ points, at, over, values, unit, isOpen, hidden, onToggle }: ReadoutProps) {
  const row = points.rows[at];
  const [first, second] = points.data[0];
  const spacing = first !== undefined && second !== undefined ? second - first : 60;
  const time = row ? seconds(row[over]) : null;
  return (
    <div className="time-series-readout">
      {values.map((name, index) => {
        const value = row ? formatNumber(row[name], { unit }) : null;
        const content = (
          <>
            <span className="series-mark" data-series={(index % SERIES) + 1} aria-hidden="true" />
            <span className="series-name">{name}</span>
            <span className="series-value">{value ?? "—"}</span>
          </>
        );
        return values.length === 1 ? (
          <span key={name} className="series">
            {content}
          </span>
        ) : (
          <button
            key={name}
            type="button"
            className="series"
            aria-pressed={!hidden.has(name)}
            onClick={() => onToggle(name)}
          >
            {content}
          </button>
        );
      })}
      <span className="series-time" aria-live="off">
        {time === null
          ? ""
          : `${instantLabel(time, 86_400)} ${instantLabel(time, Math.min(spacing, 60))} UTC${isOpen && at === points.rows.length - 1 ? ", so far" : ""}`}
      </span>
    </div>
  );
}
