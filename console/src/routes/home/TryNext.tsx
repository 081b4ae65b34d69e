// Things to do in the first five minutes, with commands that work as they stand on this server.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "@tanstack/react-router";
import { postCommand } from "../../api/post-command";
import { dashboardsQuery, type PipelineActivity, type Project, type TopicActivity } from "../../api/queries";
import { Command } from "../../ui/Command";
import { Panel } from "../../ui/Panel";
import { exampleQuery } from "./example";

interface TryNextProps {
  project: Project | undefined;
  topics: TopicActivity[] | undefined;
  pipelines: PipelineActivity[] | undefined;
}

export function TryNext({ project, topics, pipelines }: TryNextProps) {
  const topic = topics && [...topics].sort((a, b) => Number(b.records) - Number(a.records))[0]?.name;
  const example = useQuery({ ...exampleQuery(topic ?? ""), enabled: topic !== undefined });
  const name = topic ?? "shop.orders";
  // One is enough to begin with; the others are on their page.
  const dashboards = useQuery(dashboardsQuery).data?.slice(0, 1) ?? [];
  return (
    <Panel title="Try next">
      <ol className="list-none space-y-4">
        {dashboards.map((each) => (
          <Step key={each.name} title="Watch the answers change">
            <Link to="/dashboards/$dashboard" params={{ dashboard: each.name }} className="link">
              {each.title}
            </Link>
            {each.summary && <span className="text-ink-soft"> — {each.summary}</span>}
          </Step>
        ))}
        <Step title="Send an event, and see the rates move">
          <Command
            label="command that sends an event"
            text={postCommand(location.origin, name, example.data ?? null)}
          />
        </Step>
        <Step title="Ask a question of everything that was ever sent">
          <Command
            label="command that asks a question"
            text={`factum sql "SELECT count(*) AS events FROM ${name}"${serverOption()}`}
          />
          <p className="label mt-1.5">
            Or in the{" "}
            <Link to="/sql" className="link">
              SQL box
            </Link>
            , which completes names.
          </p>
        </Step>
        <Step title="Change an answer">
          <p className="text-ink-soft">
            Edit <code className="data break-all">{queryFile(project, pipelines)}</code> and save it: its{" "}
            <Link to="/views" className="link">
              view
            </Link>{" "}
            follows at once. A mistake shows here, with its line, and the old answer stays.
          </p>
        </Step>
        <Step title="Read it with any Kafka client">
          <Command
            label="command that reads with kcat"
            text={`kcat -b ${location.hostname}:9092 -t ${name} -C -o -5 -e`}
          />
        </Step>
      </ol>
    </Panel>
  );
}

function Step({ title, children }: { title: string; children: ReactNode }) {
  return (
    <li>
      <h3 className="mb-1.5">{title}</h3>
      {children}
    </li>
  );
}

/** A query to begin with: a project keeps it as `teams/TEAM/pipelines/VIEW.sql`. */
function queryFile(project: Project | undefined, pipelines: PipelineActivity[] | undefined): string {
  const names = (pipelines ?? []).map((each) => each.name.split(".")).filter((parts) => parts.length === 2);
  const [team, view] = names.at(-1) ?? ["TEAM", "VIEW"];
  return `${project?.path ?? "."}/teams/${team}/pipelines/${view}.sql`;
}

/** The command line's own default needs no option. */
function serverOption(): string {
  return location.port === "8080" ? "" : ` --server ${location.origin}`;
}
