// Why a panel shows nothing, in its place, and what to do about it.
import { Link } from "@tanstack/react-router";
import type { PanelSpec, ViewLine } from "~/api/queries";
import type { LiveState } from "../views/liveView";

export interface PanelTrouble {
  title: string;
  detail: string;
  /** What to do, and where. */
  leadsTo: "views" | "pipeline";
  /** Whether it passes by itself. */
  isWaiting: boolean;
}

/** The first thing that keeps a panel from being shown; `null` while nothing does. */
export function problemOf(
  panel: PanelSpec,
  view: ViewLine | undefined,
  views: readonly ViewLine[] | undefined,
  live: LiveState,
): PanelTrouble | null {
  const file = `the dashboard's file`;
  if (panel.problem)
    return { title: "This panel is declared wrongly", detail: panel.problem, leadsTo: "views", isWaiting: false };
  if (views && !view) {
    return {
      title: `There is no view ${panel.view}`,
      detail: `Name one that exists in ${file}, or declare this view: the panel fills by itself.`,
      leadsTo: "views",
      isWaiting: false,
    };
  }
  // A view that stands still shows the rows that it had, and says so.
  const hasRows = live.asOf !== null;
  if (view?.state === "failed" && !hasRows) {
    return {
      title: "The view has failed",
      detail: view.reason ?? "Its pipeline says why.",
      leadsTo: "pipeline",
      isWaiting: false,
    };
  }
  if (view?.state === "waiting" && !hasRows) {
    return { title: "Waiting for the first event", detail: view.reason ?? "", leadsTo: "pipeline", isWaiting: true };
  }
  const missing = view && missingColumn(panel, view);
  if (missing) {
    const names = view.columns.map((column) => column.name).join(", ");
    return {
      title: `${panel.view} has no column ${missing}`,
      detail: `It has ${names}. Name one of these in ${file}.`,
      leadsTo: "views",
      isWaiting: false,
    };
  }
  if (live.phase === "refused" && live.refusal) {
    return {
      title: "The view cannot be followed",
      detail: live.refusal.detail,
      leadsTo: "pipeline",
      isWaiting: live.refusal.status === 503,
    };
  }
  return null;
}

function missingColumn(panel: PanelSpec, view: ViewLine): string | undefined {
  if (view.columns.length === 0) return undefined;
  const named = [...panel.columns, panel.over, panel.by].filter((name): name is string => Boolean(name));
  return named.find((name) => !view.columns.some((column) => column.name === name));
}

export function PanelProblem({ problem, panel }: { problem: PanelTrouble; panel: PanelSpec }) {
  return (
    <div
      role={problem.isWaiting ? "status" : "alert"}
      className={`border-l-2 px-3 py-2 ${problem.isWaiting ? "border-warn bg-warn-wash" : "border-bad bg-bad-wash"}`}
    >
      <p className={`font-semibold break-words ${problem.isWaiting ? "text-warn" : "text-bad"}`}>{problem.title}</p>
      {problem.detail && <p className="mt-0.5 break-words">{problem.detail}</p>}
      <p className="mt-1">
        {problem.leadsTo === "views" ? (
          <Link to="/views" className="link">
            See the views there are
          </Link>
        ) : (
          <Link to="/pipelines/$pipeline" params={{ pipeline: panel.view }} className="link">
            See its pipeline
          </Link>
        )}
      </p>
    </div>
  );
}
