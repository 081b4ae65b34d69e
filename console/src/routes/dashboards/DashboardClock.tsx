// The moment that the whole dashboard answers for: that of the newest of its views.
import { useLiveViews } from "../views/follow";
import { AsOf } from "../views/AsOf";

export function DashboardClock({ views }: { views: readonly string[] }) {
  const states = useLiveViews(views);
  const moments = states.flatMap((state) => (state.asOf === null ? [] : [state.asOf])).sort();
  const isAway = states.some((state) => state.phase === "interrupted");
  return <AsOf live={{ asOf: moments.at(-1) ?? null, phase: isAway ? "interrupted" : "live" }} />;
}
