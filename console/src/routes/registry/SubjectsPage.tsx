// All subjects of the schema registry: their format, their versions, what a new version must be able to do.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { deletedSubjectsQuery, subjectsQuery, type SubjectLine } from "~/api/queries";
import { Command } from "~/ui/Command";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { TextField } from "~/ui/Field";
import { Loading } from "~/ui/Loading";
import { Num } from "~/ui/Num";
import { counted, grouped } from "~/ui/number";
import { Page } from "~/ui/Page";
import { Panel } from "~/ui/Panel";
import { TableFrame, type TableColumn } from "~/ui/Table";
import { formatName } from "./formats";
import { levelMeans } from "./levels";

const route = getRouteApi("/registry");

export function SubjectsPage() {
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const subjects = useQuery(subjectsQuery(q));
  const found = subjects.data;
  return (
    <Page
      title="Schemas"
      summary="What events look like: each subject is a name with versions of a schema."
      actions={
        (q !== "" || (found?.total ?? 0) > 0) && (
          <TextField
            label="Find a subject"
            hideLabel
            type="search"
            placeholder="Find by name"
            className="w-56"
            value={q}
            onChange={(event) =>
              void navigate({ search: { q: event.target.value || undefined }, replace: true, resetScroll: false })
            }
          />
        )
      }
    >
      {subjects.isPending ? (
        <Loading what="Reading the subjects …" />
      ) : found === undefined ? (
        <ErrorState
          error={subjects.error}
          title="The subjects cannot be listed"
          onRetry={() => void subjects.refetch()}
        />
      ) : found.total === 0 && q === "" ? (
        <NoSubjects />
      ) : found.total === 0 ? (
        <EmptyState title={`No subject has “${q}” in its name.`} />
      ) : (
        <div className="border-t border-ink/70">
          <TableFrame label="Subjects" columns={COLUMNS} rows={found.subjects} rowKey={(each) => each.subject} />
          {found.total > found.subjects.length && (
            <p className="label mt-3">
              The first {grouped(found.subjects.length)} of {counted(found.total, "subject")}. Part of a name finds the
              others.
            </p>
          )}
        </div>
      )}
      <Deleted />
    </Page>
  );
}

/** Subjects that can be had back: what was written with their schemas can still be read. */
function Deleted() {
  const subjects = useQuery(deletedSubjectsQuery).data ?? [];
  if (subjects.length === 0) return null;
  return (
    <Panel title="Deleted" note="registering a schema again brings them back" className="mt-9">
      <ul aria-label="Deleted subjects">
        {subjects.map((each) => (
          <li key={each} className="data border-b border-rule py-1.5 break-all">
            {each}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function NoSubjects() {
  const command = `curl ${location.origin}/subjects/shop.orders-value/versions \\\n  -H 'content-type: application/json' \\\n  -d '{"schema":"{\\"type\\":\\"string\\"}"}'`;
  return (
    <EmptyState title="No schemas yet.">
      <p>
        Serialisers of Confluent register schemas by themselves, with <code className="data">schema.registry.url</code>{" "}
        set to <code className="data">{location.origin}</code>. By hand:
      </p>
      <Command label="command that registers a schema" text={command} />
    </EmptyState>
  );
}

const COLUMNS: TableColumn<SubjectLine>[] = [
  {
    title: "Subject",
    cell: (each) => (
      <Link to="/registry/$subject" params={{ subject: each.subject }} className="data link">
        {each.subject}
      </Link>
    ),
  },
  { title: "Format", width: "7.5rem", cell: (each) => formatName(each.schema_type) },
  {
    title: "Compatibility",
    width: "13.5rem",
    narrow: "hide",
    cell: (each) => (
      <span className="data" title={levelMeans(each.compatibility)}>
        {each.compatibility}
      </span>
    ),
  },
  { title: "Versions", width: "5rem", align: "right", cell: (each) => <Num value={each.versions} /> },
  {
    title: "Latest id",
    width: "5.5rem",
    align: "right",
    narrow: "hide",
    cell: (each) => <span className="figures">{each.latest_id}</span>,
  },
];
