// The last values as a line, newest at the right. The number beside it says what it says; so it is hidden
// from assistive technology.
interface SparklineProps {
  values: readonly number[];
  /** How many values fill the width. */
  length: number;
  className?: string;
}

const WIDTH = 240;
const HEIGHT = 44;

export function Sparkline({ values, length, className }: SparklineProps) {
  const top = Math.max(1, ...values);
  const x = (index: number) => ((length - values.length + index) / (length - 1)) * WIDTH;
  const y = (value: number) => HEIGHT - 1.5 - (value / top) * (HEIGHT - 4);
  const line = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  return (
    <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className={className}>
      <line
        x1="0"
        x2={WIDTH}
        y1={HEIGHT - 0.5}
        y2={HEIGHT - 0.5}
        stroke="var(--rule)"
        vectorEffect="non-scaling-stroke"
      />
      {values.length > 1 && (
        <>
          <polygon points={`${x(0)},${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} fill="var(--accent-wash)" />
          <polyline
            points={line}
            fill="none"
            stroke="var(--accent)"
            strokeWidth="1.5"
            strokeLinejoin="round"
            vectorEffect="non-scaling-stroke"
          />
        </>
      )}
    </svg>
  );
}
