// Every view: what it is doing, how many rows it has, and how far it is behind its events.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { pipelinesQuery, viewsQuery, type PipelineLine, type ViewLine } from "~/api/queries";
import { Command } from "~/ui/Command";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { Num } from "~/ui/Num";
import { Page } from "~/ui/Page";
import { List, ListCell, ListHead, ListRow, NameCell } from "../pipelines/List";
import { PipelineState } from "../pipelines/PipelineState";
import { rowCountsQuery } from "./rowCounts";

export function ViewsPage() {
  return (
    <Page
      title="Views"
      summary="SQL queries whose rows are kept up to date: each view equals its query over all events so far."
    >
      <Views />
    </Page>
  );
}

function Views() {
  const views = useQuery(viewsQuery);
  const pipelines = useQuery(pipelinesQuery);
  const live = views.data?.filter((view) => view.state === "live").map((view) => view.name) ?? [];
  const counts = useQuery(rowCountsQuery(live));
  if (views.isPending) return <Loading what="Reading the views …" />;
  if (views.isError && !views.data) {
    return <ErrorState error={views.error} title="The views cannot be listed" onRetry={() => void views.refetch()} />;
  }
  if (views.data.length === 0) return <NoViews />;
  const pipelineOf = new Map(pipelines.data?.map((pipeline) => [pipeline.name, pipeline]));
  return (
    <List label="Views" page>
      <ListHead>
        <ListCell head>View</ListCell>
        <ListCell head>State</ListCell>
        <ListCell head number>
          Rows
        </ListCell>
        <ListCell head number>
          Lag
        </ListCell>
        <ListCell head from="md">
          Reads
        </ListCell>
      </ListHead>
      <tbody>
        {views.data.map((view) => (
          <ViewRow
            key={view.name}
            view={view}
            pipeline={pipelineOf.get(view.name)}
            rows={counts.data?.get(view.name)}
          />
        ))}
      </tbody>
    </List>
  );
}

function ViewRow({ view, pipeline, rows }: { view: ViewLine; pipeline?: PipelineLine; rows?: string }) {
  return (
    <ListRow>
      <NameCell>
        <Link to="/views/$view" params={{ view: view.name }} className="link">
          {view.name}
        </Link>
      </NameCell>
      <ListCell>
        <PipelineState state={view.state} reason={view.reason} progress={pipeline?.progress} />
      </ListCell>
      <ListCell number label="rows">
        <Num value={rows} width={3} />
      </ListCell>
      <ListCell number label="behind">
        <Num value={pipeline?.lag} width={3} />
      </ListCell>
      <ListCell from="md">
        <span className="text-ink-soft">{view.depends_on.join(", ")}</span>
      </ListCell>
    </ListRow>
  );
}

function NoViews() {
  return (
    <EmptyState title="No view is declared yet.">
      <p>
        Save a statement as <code className="data">teams/&lt;team&gt;/pipelines/&lt;view&gt;.sql</code> in the project's
        folder; it is applied as soon as it is saved, and appears here.
      </p>
      <Command
        label="first view"
        text={"CREATE MATERIALIZED VIEW orders_so_far AS\n  SELECT count(*) AS orders FROM orders;"}
      />
      <p>
        To ask something once, use the{" "}
        <Link to="/sql" className="link">
          SQL box
        </Link>
        .
      </p>
    </EmptyState>
  );
}
