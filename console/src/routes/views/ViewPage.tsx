// One view: its rows as they change, a chart of them, and what it is made of.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Problem } from "~/api/problem";
import { pipelineQuery, type PipelineView } from "~/api/queries";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { Page } from "~/ui/Page";
import { RelationLink } from "../pipelines/RelationLink";
import { PipelineState } from "../pipelines/PipelineState";
import { ViewFacts } from "./ViewFacts";
import { ViewRows } from "./ViewRows";

const route = getRouteApi("/views/$view");

export function ViewPage() {
  const { view } = route.useParams();
  const pipeline = useQuery(pipelineQuery(view));
  const over = (
    <Link to="/views" className="link">
      Views
    </Link>
  );
  if (pipeline.isPending) {
    return (
      <Page title={view} mono over={over}>
        <Loading what="Reading the view …" />
      </Page>
    );
  }
  if (!pipeline.data || isGone(pipeline.error)) {
    return (
      <Page title={view} mono over={over}>
        <NoView error={pipeline.error} onRetry={() => void pipeline.refetch()} />
      </Page>
    );
  }
  return (
    <Page
      title={pipeline.data.name}
      mono
      over={over}
      summary={<Reads names={pipeline.data.depends_on} />}
      actions={<PipelineState {...pipeline.data} />}
    >
      <ViewRows key={view} view={pipeline.data} />
      <ViewFacts view={pipeline.data} />
    </Page>
  );
}

function isGone(error: unknown): boolean {
  return error instanceof Problem && error.status === 404;
}

function Reads({ names }: { names: PipelineView["depends_on"] }) {
  if (names.length === 0) return null;
  return (
    <>
      Reads{" "}
      {names.map((name, index) => (
        <span key={name}>
          {index > 0 && ", "}
          <RelationLink name={name} />
        </span>
      ))}
      .
    </>
  );
}

function NoView({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const near = error instanceof Problem ? error.near : undefined;
  return (
    <ErrorState error={error} title="This view cannot be shown" onRetry={onRetry}>
      <p className="mt-1">
        {near ? (
          <Link to="/views/$view" params={{ view: near }} className="link">
            Open {near}
          </Link>
        ) : (
          <Link to="/views" className="link">
            All views
          </Link>
        )}
      </p>
    </ErrorState>
  );
}
