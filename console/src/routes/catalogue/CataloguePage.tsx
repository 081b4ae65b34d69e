// All events that teams declare, found by words of their names, their summaries and their schemas.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { eventsQuery, type EventLine } from "~/api/queries";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { TextField } from "~/ui/Field";
import { Loading } from "~/ui/Loading";
import { Num } from "~/ui/Num";
import { counted, grouped } from "~/ui/number";
import { Page } from "~/ui/Page";
import { TableFrame, type TableColumn } from "~/ui/Table";

const route = getRouteApi("/catalogue");

/** Characters of a search, which the server takes no more of. */
const LONGEST = 200;

export function CataloguePage() {
  const { search = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const events = useQuery(eventsQuery(search));
  const found = events.data;
  return (
    <Page
      title="Catalogue"
      summary="Events that teams declare: what they state, who makes them and who reads them."
      actions={
        (search !== "" || (found?.total ?? 0) > 0) && (
          <TextField
            label="Find an event"
            hideLabel
            type="search"
            placeholder="Find by name, owner or field"
            className="w-64"
            maxLength={LONGEST}
            value={search}
            onChange={(event) =>
              void navigate({ search: { search: event.target.value || undefined }, replace: true, resetScroll: false })
            }
          />
        )
      }
    >
      {events.isPending ? (
        <Loading what="Reading the catalogue …" />
      ) : found === undefined ? (
        <ErrorState error={events.error} title="The events cannot be listed" onRetry={() => void events.refetch()} />
      ) : found.total === 0 && search === "" ? (
        <EmptyState title="No events are declared.">
          <p>
            A project declares them: <code className="data">teams/store/events/orders.yaml</code> is event{" "}
            <code className="data">store.orders</code> of team store.
          </p>
        </EmptyState>
      ) : found.total === 0 ? (
        <EmptyState title={`No event has “${search}” in its names, its summary or its schema.`} />
      ) : (
        <div className="border-t border-ink/70">
          <TableFrame label="Events" columns={COLUMNS} rows={found.events} rowKey={(each) => each.topic} />
          {found.total > found.events.length && (
            <p className="label mt-3">
              The first {grouped(found.events.length)} of {counted(found.total, "event")}. Words find the others.
            </p>
          )}
        </div>
      )}
    </Page>
  );
}

const COLUMNS: TableColumn<EventLine>[] = [
  {
    title: "Event",
    cell: (each) => (
      <>
        <Link to="/catalogue/$event" params={{ event: each.topic }} className="data link">
          {each.topic}
        </Link>
        {each.summary && <span className="label block">{each.summary}</span>}
      </>
    ),
  },
  { title: "Owner", width: "9rem", cell: (each) => each.team },
  { title: "Format", width: "6.5rem", narrow: "hide", cell: (each) => formatWord(each.format) },
  { title: "Versions", width: "5.5rem", align: "right", narrow: "hide", cell: (each) => <Num value={each.versions} /> },
  { title: "Made by", width: "5.5rem", align: "right", narrow: "hide", cell: (each) => <Num value={each.producers} /> },
  { title: "Read by", width: "5rem", align: "right", cell: (each) => <Num value={each.consumers} /> },
];

export function formatWord(format: string): string {
  return { json: "JSON", avro: "Avro", protobuf: "Protobuf" }[format] ?? format;
}
