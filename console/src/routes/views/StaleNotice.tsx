// Said over rows that are not those of now: that their view stands still, is behind, or is being rebuilt.
import { Link } from "@tanstack/react-router";
import { counted, formatNumber } from "~/charts/decimal";
import { Notice } from "~/ui/Notice";
import { clock } from "./AsOf";

interface StaleNoticeProps {
  view: string;
  state: string;
  reason?: string | null;
  /** The moment that the rows answer for. */
  asOf: string | null;
  /** Events that they do not contain. */
  lag: string;
  className?: string;
}

/** Why a view stands still, in the words of the command line. */
export function StaleNotice({ view, state, reason, asOf, lag, className }: StaleNoticeProps) {
  return (
    <Notice tone={state === "failed" ? "bad" : "warn"} title="The view stands still" className={className}>
      It is {state}
      {asOf !== null && (
        <>
          , its rows are as of{" "}
          <time dateTime={asOf} title={asOf} className="figures">
            {clock(asOf)}
          </time>{" "}
          and {counted(lag, "event")} behind
        </>
      )}
      {reason ? `: ${reason.replace(/\.$/, "")}.` : "."}{" "}
      <Link to="/pipelines/$pipeline" params={{ pipeline: view }} className="link">
        See its pipeline
      </Link>
    </Notice>
  );
}

/** How far a view is that is built; what it shows meanwhile is of the definition before. */
export function BuildingNotice({
  progress,
  hasRows,
}: {
  progress?: { done: string; total: string } | null;
  hasRows: boolean;
}) {
  const far = progress && `${formatNumber(progress.done)} of ${formatNumber(progress.total)} events are taken in. `;
  return (
    <Notice title={hasRows ? "The view is being rebuilt" : "The view is being built"}>
      {far}
      {hasRows
        ? "Until all are, the rows are what it has so far, or those of the definition before."
        : "Its rows appear as events are taken in."}
    </Notice>
  );
}
