// A moment: the reader's own clock on the page, the exact instant in the tooltip.
interface TimeProps {
  /** RFC 3339, or milliseconds since 1970. */
  at: string | number | null | undefined;
  /** `clock` leaves the date out when it is today's. */
  form?: "clock" | "full";
  /** Events are told apart by milliseconds; for what people do, seconds are enough. */
  precision?: "milliseconds" | "seconds";
}

const pad = (value: number, width = 2) => String(value).padStart(width, "0");

export function timeLabel(at: string | number, form: "clock" | "full" = "clock"): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return form === "clock" && date.toDateString() === new Date().toDateString() ? clock : `${day} ${clock}`;
}

export function Time({ at, form, precision }: TimeProps) {
  if (at === null || at === undefined || at === "") return <span className="text-ink-soft">–</span>;
  const date = new Date(at);
  const iso = Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  return (
    <time dateTime={iso} title={iso} className="data whitespace-nowrap">
      {precision === "seconds" ? timeLabel(at, form).slice(0, -4) : timeLabel(at, form)}
    </time>
  );
}
