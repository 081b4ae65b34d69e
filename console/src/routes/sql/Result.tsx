// What a query answered: its rows, or what is wrong with it and where.
import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { requestText } from "~/api/client";
import { Problem } from "~/api/problem";
import { counted } from "~/charts/decimal";
import { RowsTable } from "~/charts/RowsTable";
import { Button } from "~/ui/Button";
import { download } from "~/ui/download";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { Panel } from "~/ui/Panel";
import { timeLabel } from "~/ui/Time";
import { RowErrors } from "../views/RowErrors";
import { columnsOf, type Answer } from "./answer";
import { LeftOutNotice } from "./LeftOutNotice";
import type { Place } from "./place";

interface ResultProps {
  query: string;
  answer: UseQueryResult<Answer>;
  place: Place | null;
  onPlace: (place: Place) => void;
}

export function Result({ query, answer, place, onPlace }: ResultProps) {
  if (answer.isError)
    return <Wrong error={answer.error} place={place} onPlace={onPlace} onRetry={() => void answer.refetch()} />;
  if (!answer.data) return <Loading what="Running …" />;
  const { rows, as_of: asOf, left_out: leftOut, errors = [] } = answer.data;
  const note = (
    <span className="figures">
      {counted(rows.length, "row")}, as of {timeLabel(asOf)}
      {answer.isFetching && " · running again …"}
    </span>
  );
  return (
    <Panel title="Answer" note={note} actions={<Download query={query} />} className="mt-8">
      {rows.length === 0 ? (
        <EmptyState title="The query found no rows.">It is right as it stands; nothing matches it now.</EmptyState>
      ) : (
        <RowsTable label="Rows of the answer" columns={columnsOf(rows)} rows={rows} maxHeight="70vh" />
      )}
      <LeftOutNotice leftOut={leftOut} />
      <Stuck answer={answer.data} />
      <RowErrors errors={errors} className="mt-6" />
    </Panel>
  );
}

/** That a view which the query read stands still. */
function Stuck({ answer: { state, reason, as_of: asOf, lag } }: { answer: Answer }) {
  if (state !== "failed" && state !== "waiting") return null;
  return (
    <p role="status" className="mt-3 border-l-2 border-warn bg-warn-wash px-3 py-2 break-words">
      <strong className="font-semibold text-warn">A view that was read stands still</strong>: it is {state}, its rows
      are as of {timeLabel(asOf)} and {counted(lag, "event")} behind{reason ? `: ${reason}` : "."}
    </p>
  );
}

interface WrongProps {
  error: unknown;
  place: Place | null;
  onPlace: (place: Place) => void;
  onRetry: () => void;
}

function Wrong({ error, place, onPlace, onRetry }: WrongProps) {
  const isOfQuery = error instanceof Problem && error.status === 400;
  return (
    <div className="mt-8">
      <ErrorState
        error={error}
        title={isOfQuery ? "The query is wrong" : "The query was not answered"}
        onRetry={isOfQuery ? undefined : onRetry}
      >
        {place && (
          <Button className="mt-2.5" onClick={() => onPlace(place)}>
            Go to line {place.line}, column {place.column}
          </Button>
        )}
      </ErrorState>
    </div>
  );
}

/** The same query again, as the server writes CSV. */
function Download({ query }: { query: string }) {
  const [failure, setFailure] = useState<string | null>(null);
  const save = async () => {
    setFailure(null);
    try {
      const csv = await requestText("/api/v1/sql", { body: { query }, accept: "text/csv" });
      download("factum.csv", new Blob([csv], { type: "text/csv" }));
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      {failure && (
        <span role="alert" className="text-small text-bad">
          {failure}
        </span>
      )}
      <Button onClick={() => void save()}>Download CSV</Button>
    </>
  );
}
