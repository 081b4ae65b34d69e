// One pipeline: its statement, how it is computed, and where it stands in each partition.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { request } from "~/api/client";
import { pipelineQuery, type PipelineView } from "~/api/queries";
import { counted } from "~/charts/decimal";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { bytes, rate } from "~/ui/number";
import { Page } from "~/ui/Page";
import { Panel } from "~/ui/Panel";
import { Time } from "~/ui/Time";
import { DeadLetters } from "../views/ViewFacts";
import { Fact, Facts } from "./Facts";
import { Partitions } from "./Partitions";
import { PipelineState } from "./PipelineState";
import { SqlText } from "./SqlText";

const route = getRouteApi("/pipelines/$pipeline");

export function PipelinePage() {
  const { pipeline: name } = route.useParams();
  const pipeline = useQuery(pipelineQuery(name));
  return (
    <Page
      title={pipeline.data?.name ?? name}
      mono
      over={
        <Link to="/pipelines" className="link">
          Pipelines
        </Link>
      }
      summary={
        pipeline.data && (
          <>
            Keeps the view{" "}
            <Link to="/views/$view" params={{ view: pipeline.data.name }} className="link">
              {pipeline.data.name}
            </Link>
            .
          </>
        )
      }
      actions={pipeline.data && <PipelineState {...pipeline.data} />}
    >
      {pipeline.data ? (
        <Detail pipeline={pipeline.data} />
      ) : pipeline.isPending ? (
        <Loading what="Reading the pipeline …" />
      ) : (
        <ErrorState
          error={pipeline.error}
          title="This pipeline cannot be shown"
          onRetry={() => void pipeline.refetch()}
        />
      )}
    </Page>
  );
}

function Detail({ pipeline }: { pipeline: PipelineView }) {
  return (
    <>
      {pipeline.last_error && (
        <div className="mb-8">
          <ErrorState error={new Error(pipeline.last_error)} title="What went wrong last">
            {pipeline.poisoned !== "0" && (
              <p className="mt-1">The events are kept in its dead-letter topic; the view goes on without them.</p>
            )}
          </ErrorState>
        </div>
      )}
      <div className="mb-8 grid grid-cols-[minmax(0,1fr)] gap-x-10 gap-y-8 md:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
        <Panel title="Progress">
          <Facts>
            <Fact name="Behind its topics">{counted(pipeline.lag, "event")}</Fact>
            <Fact name="Takes in">{rate(pipeline.rate)} events/s</Fact>
            <Fact name="State in memory">{bytes(pipeline.state_bytes)}</Fact>
            <Fact name="Watermark">{pipeline.watermark ? <Time at={pipeline.watermark} /> : "not used"}</Fact>
            <DeadLetters view={pipeline} />
            <Fact name="Late, left out">{pipeline.late === "0" ? "none" : counted(pipeline.late, "row")}</Fact>
          </Facts>
        </Panel>
        <Partitions pipeline={pipeline} />
      </div>
      <Panel title="Statement" className="mb-8">
        <SqlText text={pipeline.sql} label={`The statement of ${pipeline.name}`} />
      </Panel>
      <Explain name={pipeline.name} sql={pipeline.sql} />
    </>
  );
}

function Explain({ name, sql }: { name: string; sql: string }) {
  const plan = useQuery({
    queryKey: ["explain", name, sql],
    queryFn: ({ signal }) => request<{ plan: string }>("/api/v1/sql/explain", { body: { query: name }, signal }),
    staleTime: Infinity,
  });
  return (
    <Panel title="How it is computed" note="what is kept as events arrive, and what is done on each reading">
      {plan.data ? (
        <pre tabIndex={0} aria-label="Plan" className="fade-end data py-1 leading-[1.65]">
          {plan.data.plan}
        </pre>
      ) : plan.isPending ? (
        <Loading />
      ) : (
        <ErrorState error={plan.error} title="It cannot be explained" onRetry={() => void plan.refetch()} />
      )}
    </Panel>
  );
}
