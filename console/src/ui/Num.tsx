// A number in tabular figures. `width` (in characters) keeps what stands beside it from moving.
import { grouped } from "./number";

interface NumProps {
  value: number | bigint | string | null | undefined;
  format?: (value: number | bigint | string) => string;
  width?: number;
  className?: string;
}

export function Num({ value, format = grouped, width, className = "" }: NumProps) {
  return (
    <span
      className={`figures inline-block text-right whitespace-nowrap ${className}`}
      style={width ? { minWidth: `${width}ch` } : undefined}
    >
      {value === null || value === undefined ? <span className="text-ink-soft">–</span> : format(value)}
    </span>
  );
}
