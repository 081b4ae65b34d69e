// The moment that the whole dashboard answers for: that of the newest of its views. Views that stand still are counted.
import { counted } from "~/charts/decimal";
import { useLiveViews } from "../views/follow";
import { AsOf } from "../views/AsOf";

export function DashboardClock({ views }: { views: readonly string[] }) {
  const states = useLiveViews(views);
  const moments = states.flatMap((state) => (state.asOf === null ? [] : [state.asOf])).sort();
  const isAway = states.some((state) => state.phase === "interrupted");
  const still = states.filter((state) => state.stale !== null).length;
  return (
    <span className="inline-flex flex-wrap items-baseline gap-x-3">
      {still > 0 && (
        <span role="status" className="label font-medium text-warn">
          {counted(still, "view")} {still === 1 ? "stands" : "stand"} still
        </span>
      )}
      <AsOf live={{ asOf: moments.at(-1) ?? null, phase: isAway ? "interrupted" : "live", stale: null }} />
    </span>
  );
}
