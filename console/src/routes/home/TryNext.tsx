// Things to do in the first five minutes, with commands that work as they stand on this server.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "@tanstack/react-router";
import { postCommand } from "../../api/post-command";
import {
  dashboardsQuery,
  type KafkaAddress,
  type PipelineActivity,
  type Project,
  type TopicActivity,
} from "../../api/queries";
import { Command } from "../../ui/Command";
import { Panel } from "../../ui/Panel";
import { exampleQuery } from "./example";

interface TryNextProps {
  project: Project | undefined;
  topics: TopicActivity[] | undefined;
  pipelines: PipelineActivity[] | undefined;
  kafka: KafkaAddress | undefined;
}

export function TryNext({ project, topics, pipelines, kafka }: TryNextProps) {
  const topic = topics && [...topics].sort((a, b) => Number(b.records) - Number(a.records))[0]?.name;
  const example = useQuery({ ...exampleQuery(topic ?? ""), enabled: topic !== undefined });
  // Without a project, the first event creates its topic; with one, only its topics take events.
  const name = topic ?? (project && !project.name ? "shop.orders" : undefined);
  // One is enough to begin with; the others are on their page.
  const dashboards = useQuery(dashboardsQuery).data?.slice(0, 1) ?? [];
  return (
    <Panel title="Try next">
      <ol className="list-none space-y-4">
        {dashboards.map((each) => (
          <Step key={each.name} title="Watch views change">
            <Link to="/dashboards/$dashboard" params={{ dashboard: each.name }} className="link">
              {each.title}
            </Link>
            {each.summary && <span className="text-ink-soft"> — {each.summary}</span>}
          </Step>
        ))}
        {name && (topic === undefined || example.isFetched) && (
          <Step title="Send an event, and see the rates move">
            <Command
              label="command that sends an event"
              text={postCommand(location.origin, name, example.data?.data ?? null)}
            />
          </Step>
        )}
        {topic && example.data?.isDeclared && (
          <Step title="Query all events of a topic">
            <Command
              label="command that runs a query"
              text={`factum sql 'SELECT count(*) AS events FROM ${relation(topic)}'${serverOption()}`}
            />
            <p className="label mt-1.5">
              Or on the{" "}
              <Link to="/sql" className="link">
                SQL page
              </Link>
              , which completes names.
            </p>
          </Step>
        )}
        {project?.path && (
          <Step title="Change a view">
            <p className="text-ink-soft">
              Edit <code className="data break-all">{queryFile(project.path, pipelines)}</code> and save it: its{" "}
              <Link to="/views" className="link">
                view
              </Link>{" "}
              is updated at once. A mistake is shown here, with its line, and the view stays as it was.
            </p>
          </Step>
        )}
        {name && kafka && (
          <Step title="Read it with any Kafka client">
            <Command label="command that reads with kcat" text={`kcat -b ${broker(kafka)} -t ${name} -C -o -5 -e`} />
          </Step>
        )}
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
function queryFile(folder: string, pipelines: PipelineActivity[] | undefined): string {
  const names = (pipelines ?? []).map((each) => each.name.split(".")).filter((parts) => parts.length === 2);
  const [team, view] = names.at(-1) ?? ["TEAM", "VIEW"];
  return `${folder}/teams/${team}/pipelines/${view}.sql`;
}

/** A topic as SQL names it: parts that are not plain names are quoted. */
function relation(topic: string): string {
  const parts = topic.split(".").map((part) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : `"${part}"`));
  return parts.join(".");
}

/** Where Kafka clients connect; a server that listens everywhere is reached by the host that the page came from. */
function broker({ host, port }: KafkaAddress): string {
  const name = host ?? location.hostname;
  return `${name.includes(":") && !name.startsWith("[") ? `[${name}]` : name}:${port}`;
}

/** The command line's own default needs no option. */
function serverOption(): string {
  return location.port === "8080" ? "" : ` --server ${location.origin}`;
}
