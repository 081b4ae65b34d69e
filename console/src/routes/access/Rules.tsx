// The rules: who may do what; add one, delete one.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { request } from "~/api/client";
import { Problem } from "~/api/problem";
import { aclsQuery, type Acl } from "~/api/queries";
import { Badge } from "~/ui/Badge";
import { Button } from "~/ui/Button";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { counted } from "~/ui/number";
import { Panel } from "~/ui/Panel";
import { TableFrame, type TableColumn } from "~/ui/Table";
import { DeleteDialog } from "./DeleteDialog";
import { RuleDialog } from "./RuleDialog";

/** Rules drawn at once: a table of 100 000 rows is of no use to a reader. */
const SHOWN = 500;

export function Rules({ q }: { q: string }) {
  const acls = useQuery(aclsQuery);
  const [adding, setAdding] = useState(false);
  const [doomed, setDoomed] = useState<Acl | null>(null);
  if (acls.isPending) return <Loading what="Reading the rules …" />;
  if (acls.data === undefined) {
    // No listener goes by rules, so there are none.
    if (acls.error instanceof Problem && acls.error.status === 409) return <NoListener />;
    return <ErrorState error={acls.error} title="The rules cannot be listed" onRetry={() => void acls.refetch()} />;
  }
  const word = q.toLowerCase();
  const found = acls.data.filter((each) => `${each.principal} ${each.name}`.toLowerCase().includes(word));
  const note =
    found.length > SHOWN
      ? `the first ${SHOWN} of ${counted(found.length, "rule")}: find by a name to see others`
      : acls.data.length > 0 && counted(found.length, "rule");
  return (
    <>
      <Panel
        title="Rules"
        note={note}
        actions={
          <Button kind="primary" small onClick={() => setAdding(true)}>
            Add a rule
          </Button>
        }
      >
        {acls.data.length === 0 ? (
          <EmptyState title="No rules yet.">
            <p>Super users may do everything, and all others nothing until a rule allows it.</p>
          </EmptyState>
        ) : found.length === 0 ? (
          <EmptyState title="No rule names that." />
        ) : (
          <TableFrame
            label="Rules"
            columns={columns(setDoomed)}
            rows={found.slice(0, SHOWN)}
            rowKey={(each) => Object.values(each).join("\n")}
          />
        )}
      </Panel>
      {adding && <RuleDialog onClose={() => setAdding(false)} />}
      {doomed && (
        <DeleteDialog
          title="Delete the rule?"
          changes="acls"
          remove={() => request("/api/v1/acls", { method: "DELETE", query: { ...doomed } })}
          onClose={() => setDoomed(null)}
        >
          <span className="data">{doomed.principal}</span>{" "}
          {doomed.permission === "deny" ? "may no longer be kept from" : "may no longer"}{" "}
          {operationInWords(doomed.operation)} <RuleResource acl={doomed} /> by this rule; others may still say so.
        </DeleteDialog>
      )}
    </>
  );
}

function NoListener() {
  return (
    <EmptyState title="No listener goes by rules.">
      <p>
        Rules would look as if they protected something, so there are none. With{" "}
        <code className="data">access = &quot;acl&quot;</code> in the configuration, clients log in as users and every
        listener goes by rules.
      </p>
    </EmptyState>
  );
}

function columns(onDelete: (acl: Acl) => void): TableColumn<Acl>[] {
  return [
    {
      title: "Principal",
      width: "26%",
      cell: (each) => (
        <>
          <span className="data break-all">{each.principal}</span>
          {each.host !== "*" && <span className="label block">from {each.host}</span>}
        </>
      ),
    },
    {
      title: "May",
      width: "9.5rem",
      cell: (each) => (
        <>
          {each.permission === "deny" && <Badge tone="bad">not</Badge>} {operationInWords(each.operation)}
        </>
      ),
    },
    { title: "With", cell: (each) => <RuleResource acl={each} /> },
    {
      title: "Delete",
      width: "5.5rem",
      align: "right",
      cell: (each) => (
        <Button
          small
          aria-label={`Delete the rule of ${each.principal} about ${each.name}, ${each.operation}`}
          onClick={() => onDelete(each)}
        >
          Delete
        </Button>
      ),
    },
  ];
}

function RuleResource({ acl }: { acl: Acl }) {
  const kind = acl.resource_type.replaceAll("_", " ");
  if (acl.resource_type === "cluster") return <>the cluster</>;
  if (acl.name === "*") return <>every {kind}</>;
  return (
    <>
      {acl.pattern_type === "prefixed" ? `every ${kind} that begins with` : kind}{" "}
      <span className="data break-all">{acl.name}</span>
    </>
  );
}

function operationInWords(operation: string): string {
  return operation === "all" ? "do anything" : operation.replaceAll("_", " ");
}
