// The moment that rows answer for. While the server is away, it says that they are of then.
import { timeLabel } from "~/ui/Time";
import type { LiveState } from "./liveView";

export function AsOf({ live }: { live: Pick<LiveState, "asOf" | "phase"> }) {
  if (live.asOf === null) return null;
  const clock = timeLabel(live.asOf).replace(/\.\d+$/, "");
  return (
    <span className="label figures whitespace-nowrap" title={live.asOf}>
      <span aria-hidden="true" className={`live-dot ${live.phase === "live" ? "live-dot-on" : ""}`} />
      {live.phase === "live" ? "as of" : "not live: as of"} <time dateTime={live.asOf}>{clock}</time>
    </span>
  );
}
