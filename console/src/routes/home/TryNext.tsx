// Four things to do in the first five minutes, with commands that work as they stand on this server.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "@tanstack/react-router";
import type { Project, TopicActivity } from "../../api/queries";
import { Command } from "../../ui/Command";
import { Panel } from "../../ui/Panel";
import { exampleQuery, postCommand } from "./example";

export function TryNext({ project, topics }: { project: Project | undefined; topics: TopicActivity[] | undefined }) {
  const topic = topics && [...topics].sort((a, b) => Number(b.records) - Number(a.records))[0]?.name;
  const example = useQuery({ ...exampleQuery(topic ?? ""), enabled: topic !== undefined });
  const name = topic ?? "shop.orders";
  return (
    <Panel title="Try next">
      <ol className="list-none space-y-4">
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
            Edit a <code className="data">.sql</code> file in{" "}
            <code className="data break-all">
              {project?.path ? `${project.path}/teams` : "the project's teams folder"}
            </code>{" "}
            and save it: its{" "}
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

/** The command line's own default needs no option. */
function serverOption(): string {
  return location.port === "8080" ? "" : ` --server ${location.origin}`;
}
