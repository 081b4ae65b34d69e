// Events that a view could not take in: how many, since when, why, and where they are.
import { Link } from "@tanstack/react-router";
import type { PipelineView } from "~/api/queries";
import { counted } from "~/charts/decimal";
import { Time } from "~/ui/Time";
import { Notice } from "~/ui/Notice";

/** What is said of such events with a pipeline. */
export type Rejecting = Pick<PipelineView, "name" | "poisoned" | "rejected">;

export function RejectedNotice({ view }: { view: Rejecting }) {
  if (view.poisoned === "0") return null;
  const { rejected } = view;
  const takesNone = rejected && rejected.in_a_row !== "0";
  return (
    <Notice title={takesNone ? "The view takes no event in" : `${counted(view.poisoned, "event")} left out`}>
      {takesNone && `${counted(view.poisoned, "event")} could not be taken in. `}
      {rejected && (
        <>
          Since <Time at={rejected.first} />, the last at <Time at={rejected.last} />: {rejected.reason}.{" "}
        </>
      )}
      {view.poisoned === "1" ? "It is" : "They are"} in <DeadLetterLink view={view} />.
    </Notice>
  );
}

export function DeadLetterLink({ view }: { view: Rejecting }) {
  const topic = view.rejected?.topic ?? `${view.name}.dead-letter`;
  return (
    <Link to="/topics/$topic" params={{ topic }} search={{ from: "earliest" }} className="link break-all">
      {topic}
    </Link>
  );
}
