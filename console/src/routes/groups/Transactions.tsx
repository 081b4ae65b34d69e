// Transactional ids, and the partitions whose readers wait for an open transaction to end.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { transactionsQuery, type HeldPartition, type Transaction } from "~/api/queries";
import { Badge, type Tone } from "~/ui/Badge";
import { Button } from "~/ui/Button";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { Num } from "~/ui/Num";
import { counted } from "~/ui/number";
import { Panel } from "~/ui/Panel";
import { TableFrame, type TableColumn } from "~/ui/Table";
import { Time } from "~/ui/Time";
import { AbortDialog, type Abort } from "./AbortDialog";
import { stateLabel } from "./GroupState";

export function Transactions() {
  const transactions = useQuery(transactionsQuery);
  const [abort, setAbort] = useState<Abort | null>(null);
  if (transactions.isPending) return <Loading what="Reading the transactions …" />;
  if (transactions.data === undefined) {
    return (
      <ErrorState
        error={transactions.error}
        title="The transactions cannot be listed"
        onRetry={() => void transactions.refetch()}
      />
    );
  }
  const { transactions: all, held_back: held } = transactions.data;
  if (all.length === 0 && held.length === 0) {
    return (
      <EmptyState title="No transactional ids yet.">
        <p>
          A producer with a <code className="data">transactional.id</code> is listed here once it has begun.
        </p>
      </EmptyState>
    );
  }
  return (
    <>
      {held.length > 0 && (
        <Panel title="Held back" note="readers of committed records wait for these transactions" className="mb-8">
          <TableFrame
            label="Partitions that are held back"
            columns={heldColumns(setAbort)}
            rows={held}
            rowKey={(each) => `${each.topic}/${each.partition}`}
          />
        </Panel>
      )}
      <Panel title="Transactional ids" note={all.length > 0 && counted(all.length, "id")}>
        {all.length === 0 ? (
          <p className="py-2 text-ink-soft">None is known.</p>
        ) : (
          <TableFrame label="Transactional ids" columns={idColumns(setAbort)} rows={all} rowKey={(each) => each.id} />
        )}
      </Panel>
      {abort && <AbortDialog abort={abort} onClose={() => setAbort(null)} />}
    </>
  );
}

function heldColumns(onAbort: (abort: Abort) => void): TableColumn<HeldPartition>[] {
  return [
    {
      title: "Partition",
      cell: (each) => (
        <Link
          to="/topics/$topic"
          params={{ topic: each.topic }}
          search={{ from: "offset", partition: each.partition, offset: each.start_offset }}
          className="data link"
        >
          {each.topic}/{each.partition}
        </Link>
      ),
    },
    {
      title: "By",
      width: "26%",
      cell: (each) =>
        each.transactional_id ? (
          <span className="data">{each.transactional_id}</span>
        ) : (
          <Badge tone="bad">no producer ends it</Badge>
        ),
    },
    {
      title: "From offset",
      width: "6.5rem",
      align: "right",
      narrow: "hide",
      cell: (each) => <Num value={each.start_offset} />,
    },
    { title: "Records", width: "5rem", align: "right", cell: (each) => <Num value={each.records} /> },
    {
      title: "Since",
      width: "11rem",
      narrow: "hide",
      cell: (each) => <Time at={each.since} precision="seconds" />,
    },
    {
      title: "End it",
      width: "5rem",
      align: "right",
      cell: (each) => {
        const place = `${each.topic}/${each.partition}`;
        return (
          <Button
            small
            aria-label={`Abort the transaction in ${place}`}
            onClick={() => onAbort(each.transactional_id ? { id: each.transactional_id } : { held: each })}
          >
            Abort
          </Button>
        );
      },
    },
  ];
}

const TONES: Record<string, Tone> = { Ongoing: "accent", PrepareAbort: "warn", PrepareCommit: "warn" };

function idColumns(onAbort: (abort: Abort) => void): TableColumn<Transaction>[] {
  return [
    { title: "Id", cell: (each) => <span className="data break-words">{each.id}</span> },
    {
      title: "State",
      width: "9rem",
      cell: (each) => <Badge tone={TONES[each.state] ?? "neutral"}>{stateLabel(each.state)}</Badge>,
    },
    {
      title: "Producer",
      width: "16rem",
      narrow: "hide",
      cell: (each) => (
        <span className="data">
          {each.producer_id}, epoch {each.producer_epoch}
        </span>
      ),
    },
    {
      title: "Open since",
      width: "11rem",
      narrow: "hide",
      cell: (each) => <Time at={each.open_since} precision="seconds" />,
    },
    {
      title: "Partitions",
      width: "5.5rem",
      align: "right",
      narrow: "hide",
      cell: (each) => <Num value={each.partitions.length} />,
    },
    {
      title: "End it",
      width: "5rem",
      align: "right",
      cell: (each) =>
        each.open_since ? (
          <Button small aria-label={`Abort the transaction of ${each.id}`} onClick={() => onAbort({ id: each.id })}>
            Abort
          </Button>
        ) : null,
    },
  ];
}
