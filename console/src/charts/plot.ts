/** uPlot, set for this console: hairlines, no legend of its own, labels that have the room they need. */
import uPlot from "uplot";
import { formatNumber } from "./decimal";
import { axisLabels } from "./instant";
import type { ChartTheme } from "./theme";

/** What is drawn: for each name a line, then for each name its last part if that is not over yet, dashed. */
export interface PlotRequest {
  names: readonly string[];
  hidden: ReadonlySet<string>;
  unit?: string | null;
  width: number;
  height: number;
  theme: ChartTheme;
  /** Told the index under the cursor, or `null` when there is none. */
  onCursor: (index: number | null) => void;
}

/** Room for labels that charts above each other have alike, so that their times stand below each other. */
const LEAST_LABEL = 40;

/** Half a label of time. */
const EDGE = 18;

/** Room that labels of `values` need. */
function labelWidth(plot: uPlot, values: readonly string[] | null): number {
  if (!values || values.length === 0) return LEAST_LABEL;
  plot.ctx.save();
  plot.ctx.font = plot.axes[1]?.font?.[0] ?? plot.ctx.font;
  const widest = Math.max(...values.map((value) => plot.ctx.measureText(value).width));
  plot.ctx.restore();
  return Math.max(LEAST_LABEL, Math.ceil(widest / devicePixelRatio) + 6);
}

export function plotOptions(request: PlotRequest): uPlot.Options {
  const { theme, unit } = request;
  const axis: uPlot.Axis = {
    stroke: theme.muted,
    font: theme.font,
    grid: { show: false },
    ticks: { stroke: theme.rule, width: 1, size: 4 },
    gap: 4,
  };
  return {
    width: request.width,
    height: request.height,
    padding: [10, 0, 0, 0],
    legend: { show: false },
    scales: { x: { time: true }, y: { range: (_, low, high) => range(low, high) } },
    axes: [
      {
        ...axis,
        space: 64,
        size: (_, values) => (values?.some((value: string | null) => value?.includes("\n")) ? 40 : 26),
        values: (plot, splits, _index, _space, step) => uncut(plot, splits, axisLabels(splits, step)),
      },
      {
        ...axis,
        side: 1,
        space: 36,
        grid: { stroke: theme.rule, width: 1 },
        ticks: { show: false },
        values: (_, splits) => splits.map((value) => axisNumber(value, unit)),
        size: (plot, values) => labelWidth(plot, values),
      },
    ],
    series: [
      {},
      ...request.names.map((name, index) => line(name, index, request)),
      ...request.names.map((name, index) => ({ ...line(name, index, request), dash: [3, 3], points: { show: false } })),
    ],
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 7, fill: theme.surface },
    },
    hooks: { setCursor: [(plot) => request.onCursor(plot.cursor.idx ?? null)] },
  };
}

/** Labels without those that the left edge would cut. */
function uncut(plot: uPlot, splits: readonly number[], labels: readonly string[]): (string | null)[] {
  return labels.map((label, index) => (plot.valToPos(splits[index] ?? 0, "x") < EDGE ? null : label));
}

function line(name: string, index: number, request: PlotRequest): uPlot.Series {
  const stroke = request.theme.series[index % request.theme.series.length] ?? request.theme.ink;
  return {
    label: name,
    stroke,
    width: 1.5,
    show: !request.hidden.has(name),
    spanGaps: false,
    points: { size: 5, fill: stroke, show: (_plot, _series, from, to) => to - from < 2 },
  };
}

/** From zero up, unless something is below it; never of no height. */
function range(low: number | null, high: number | null): uPlot.Range.MinMax {
  const bottom = Math.min(0, low ?? 0);
  const top = Math.max(0, high ?? 0);
  const span = top - bottom || 1;
  return [bottom < 0 ? bottom - span * 0.05 : 0, top > 0 || bottom === 0 ? top + span * 0.08 : 0];
}

function axisNumber(value: number, unit?: string | null): string {
  const size = Math.abs(value);
  const [divisor, suffix] = size >= 1e9 ? [1e9, "G"] : size >= 1e6 ? [1e6, "M"] : size >= 1e4 ? [1e3, "k"] : [1, ""];
  const number = formatNumber(value / divisor, { most: 2 }) ?? "";
  const isMoney = unit != null && /^\p{Sc}$/u.test(unit);
  return `${isMoney ? unit : ""}${number}${suffix}`;
}
