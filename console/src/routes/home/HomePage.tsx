// Home: how the server does at this second, what is wrong, and what a newcomer can try.
import { useQuery } from "@tanstack/react-query";
import { useOverviewStream } from "../../api/overview";
import { overviewQuery, projectQuery } from "../../api/queries";
import { ErrorState } from "../../ui/ErrorState";
import { duration } from "../../ui/number";
import { Page } from "../../ui/Page";
import { Time } from "../../ui/Time";
import { Figures } from "./Figures";
import { Health } from "./Health";
import { PipelineRates, TopicRates } from "./Rates";
import { ProjectProblems } from "./ProjectProblems";
import { TryNext } from "./TryNext";

export function HomePage() {
  const stream = useOverviewStream();
  const overview = useQuery(overviewQuery);
  const project = useQuery(projectQuery);
  const now = stream.latest ?? overview.data;
  return (
    <Page
      title={project.data?.name ?? "Factum"}
      summary={
        now ? (
          <span className="figures">
            Factum {now.version}, up for {duration(now.uptime_seconds)}.
            {project.data?.applied_at && (
              <>
                {" "}
                Project applied at <Time at={project.data.applied_at} precision="seconds" />.
              </>
            )}
          </span>
        ) : (
          "\u00a0"
        )
      }
    >
      {overview.isError && !now && (
        <div className="mb-6">
          <ErrorState error={overview.error} onRetry={() => void overview.refetch()} />
        </div>
      )}
      <ProjectProblems project={project.data} />
      <Figures now={now} history={stream.history} />
      <div className="mt-9 grid gap-x-10 gap-y-9 lg:grid-cols-[minmax(0,4fr)_minmax(0,5fr)]">
        <div className="space-y-9">
          <TopicRates rates={now?.by_topic} />
          <PipelineRates rates={now?.by_pipeline} />
          <Health health={now?.health} />
        </div>
        <TryNext project={project.data} topics={now?.by_topic} pipelines={now?.by_pipeline} kafka={now?.kafka} />
      </div>
    </Page>
  );
}
