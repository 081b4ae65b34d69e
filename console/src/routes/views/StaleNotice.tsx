// Said over rows that are not those of now: that their view stands still, is behind, or is being rebuilt.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { counted, formatNumber } from "~/charts/decimal";
import { clock } from "./AsOf";

interface NoticeProps {
  tone?: "warn" | "bad";
  title: string;
  children?: ReactNode;
  className?: string;
}

/** One thing to know about the rows below. */
export function Notice({ tone = "warn", title, children, className = "" }: NoticeProps) {
  const colours = tone === "bad" ? "border-bad bg-bad-wash" : "border-warn bg-warn-wash";
  return (
    <div role="status" className={`border-l-2 px-3 py-2 ${colours} ${className}`}>
      <p className={`font-semibold ${tone === "bad" ? "text-bad" : "text-warn"}`}>{title}</p>
      {children && <p className="mt-0.5 break-words">{children}</p>}
    </div>
  );
}

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
