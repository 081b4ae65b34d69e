// Every pipeline: what it is doing, how fast, how far behind, and what went wrong last.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { pipelinesQuery, type PipelineLine } from "~/api/queries";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { Num } from "~/ui/Num";
import { bytes, rate } from "~/ui/number";
import { Page } from "~/ui/Page";
import { Time } from "~/ui/Time";
import { List, ListCell, ListHead, ListRow, NameCell } from "./List";
import { PipelineState } from "./PipelineState";

export function PipelinesPage() {
  return (
    <Page
      title="Pipelines"
      summary="What keeps each view up to date: it reads events, keeps state, and counts nothing twice."
    >
      <Pipelines />
    </Page>
  );
}

function Pipelines() {
  const pipelines = useQuery(pipelinesQuery);
  if (pipelines.isPending) return <Loading what="Reading the pipelines …" />;
  if (pipelines.isError && !pipelines.data) {
    return (
      <ErrorState
        error={pipelines.error}
        title="The pipelines cannot be listed"
        onRetry={() => void pipelines.refetch()}
      />
    );
  }
  if (pipelines.data.length === 0) {
    return (
      <EmptyState title="No pipeline runs.">
        <p>
          Each view has one. Declare a view in{" "}
          <code className="data">teams/&lt;team&gt;/pipelines/&lt;view&gt;.sql</code> of the project's folder, and its
          pipeline appears here.
        </p>
      </EmptyState>
    );
  }
  return (
    <List label="Pipelines" page>
      <ListHead>
        <ListCell head>Pipeline</ListCell>
        <ListCell head>State</ListCell>
        <ListCell head number>
          Events/s
        </ListCell>
        <ListCell head number>
          Lag
        </ListCell>
        <ListCell head number>
          State size
        </ListCell>
        <ListCell head number from="md">
          Dead letters
        </ListCell>
        <ListCell head from="lg">
          Watermark
        </ListCell>
      </ListHead>
      <tbody>
        {pipelines.data.map((pipeline) => (
          <PipelineRow key={pipeline.name} pipeline={pipeline} />
        ))}
      </tbody>
    </List>
  );
}

function PipelineRow({ pipeline }: { pipeline: PipelineLine }) {
  return (
    <ListRow>
      <NameCell>
        <Link to="/pipelines/$pipeline" params={{ pipeline: pipeline.name }} className="link">
          {pipeline.name}
        </Link>
      </NameCell>
      <ListCell>
        <PipelineState {...pipeline} />
        {pipeline.last_error && pipeline.last_error !== pipeline.reason && (
          <p className="label max-w-[28rem] break-words text-bad">{pipeline.last_error}</p>
        )}
      </ListCell>
      <ListCell number label="events/s">
        <Num value={pipeline.rate} format={(value) => rate(Number(value))} width={4} />
      </ListCell>
      <ListCell number label="behind">
        <Num value={pipeline.lag} width={3} />
      </ListCell>
      <ListCell number label="of state">
        <Num value={pipeline.state_bytes} format={bytes} width={7} />
      </ListCell>
      <ListCell number from="md">
        <Num value={pipeline.poisoned} />
      </ListCell>
      <ListCell from="lg">
        <Time at={pipeline.watermark} />
      </ListCell>
    </ListRow>
  );
}
