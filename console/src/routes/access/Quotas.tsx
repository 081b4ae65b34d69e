// The quotas: whom each is about and its limits; set one, delete one.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { request } from "~/api/client";
import { quotasQuery, type Quota } from "~/api/queries";
import { Button } from "~/ui/Button";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { counted } from "~/ui/number";
import { Panel } from "~/ui/Panel";
import { TableFrame, type TableColumn } from "~/ui/Table";
import { DeleteDialog } from "./DeleteDialog";
import { entityInWords, limitInWords, queryOf } from "./quota";
import { QuotaDialog } from "./QuotaDialog";

export function Quotas({ q }: { q: string }) {
  const quotas = useQuery(quotasQuery);
  const [open, setOpen] = useState<Quota | "new" | null>(null);
  const [doomed, setDoomed] = useState<Quota | null>(null);
  if (quotas.isPending) return <Loading what="Reading the quotas …" />;
  if (quotas.data === undefined) {
    return (
      <ErrorState error={quotas.error} title="The quotas cannot be listed" onRetry={() => void quotas.refetch()} />
    );
  }
  const shown = quotas.data.filter((each) => entityInWords(each).toLowerCase().includes(q.toLowerCase()));
  return (
    <>
      <Panel
        title="Quotas"
        note={quotas.data.length > 0 && counted(quotas.data.length, "quota")}
        actions={
          <Button kind="primary" small onClick={() => setOpen("new")}>
            Set a quota
          </Button>
        }
      >
        {quotas.data.length === 0 ? (
          <EmptyState title="No quotas yet.">
            <p>Every Kafka client may use as much as it can.</p>
          </EmptyState>
        ) : shown.length === 0 ? (
          <EmptyState title="No quota is about that." />
        ) : (
          <TableFrame
            label="Quotas"
            columns={columns(setOpen, setDoomed)}
            rows={shown}
            rowKey={(each) => entityInWords(each)}
          />
        )}
      </Panel>
      {open && <QuotaDialog quota={open === "new" ? undefined : open} onClose={() => setOpen(null)} />}
      {doomed && (
        <DeleteDialog
          title={`Delete the quota of ${entityInWords(doomed)}?`}
          changes="quotas"
          remove={() => request("/api/v1/quotas", { method: "DELETE", query: queryOf(doomed) })}
          onClose={() => setDoomed(null)}
        >
          Its clients may use as much as the next quota that is about them allows, or as they can.
        </DeleteDialog>
      )}
    </>
  );
}

function columns(onSet: (quota: Quota) => void, onDelete: (quota: Quota) => void): TableColumn<Quota>[] {
  return [
    { title: "Of", cell: (each) => <span className="break-words">{entityInWords(each)}</span> },
    {
      title: "At most",
      width: "44%",
      cell: (each) => (
        <ul>
          {Object.entries(each.limits).map(([key, value]) => (
            <li key={key}>{limitInWords(key, value ?? 0)}</li>
          ))}
        </ul>
      ),
    },
    {
      title: "Change",
      width: "9.5rem",
      align: "right",
      cell: (each) => (
        <span className="inline-flex flex-wrap justify-end gap-1.5">
          <Button small aria-label={`Set the quota of ${entityInWords(each)}`} onClick={() => onSet(each)}>
            Set
          </Button>
          <Button small aria-label={`Delete the quota of ${entityInWords(each)}`} onClick={() => onDelete(each)}>
            Delete
          </Button>
        </span>
      ),
    },
  ];
}
