// The moment that rows answer for. While the server is away, or the view stands still, it says that they are of then.
import { timeLabel } from "~/ui/Time";
import type { LiveState } from "./liveView";

export function AsOf({ live }: { live: Pick<LiveState, "asOf" | "phase" | "stale"> }) {
  if (live.asOf === null) return null;
  const isLive = live.phase === "live" && live.stale === null;
  return (
    <span className="label figures whitespace-nowrap" title={live.asOf}>
      <span aria-hidden="true" className={`live-dot ${isLive ? "live-dot-on" : ""}`} />
      {isLive ? "as of" : live.phase === "live" ? "stands still: as of" : "not live: as of"}{" "}
      <time dateTime={live.asOf}>{clock(live.asOf)}</time>
    </span>
  );
}

/** A time of the day, to the second. */
export function clock(at: string): string {
  return timeLabel(at).replace(/\.\d+$/, "");
}
