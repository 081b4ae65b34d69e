// One topic: its messages, the groups that read it, or how it is set up.
import { useQuery } from "@tanstack/react-query";
import { Link, linkOptions, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Problem } from "../../api/problem";
import { topicQuery, topicSubjectsQuery } from "../../api/queries";
import { Button } from "../../ui/Button";
import { ErrorState } from "../../ui/ErrorState";
import { Loading } from "../../ui/Loading";
import { bytes, counted } from "../../ui/number";
import { Page } from "../../ui/Page";
import { Tabs } from "../../ui/Tabs";
import { Consumers } from "./Consumers";
import { Messages } from "./Messages";
import { SendDialog } from "./SendDialog";
import { Settings } from "./Settings";
import type { Tab } from "./search";

const TABS: { tab: Tab; name: string }[] = [
  { tab: "messages", name: "Messages" },
  { tab: "consumers", name: "Consumers" },
  { tab: "config", name: "Configuration" },
];

export function TopicPage() {
  const { topic } = useParams({ from: "/topics/$topic" });
  const search = useSearch({ from: "/topics/$topic" });
  const { data, error, isPending, refetch } = useQuery(topicQuery(topic));
  const [sending, setSending] = useState(false);
  const tab = search.tab ?? "messages";
  const records = data?.partitions.reduce(
    (sum, each) => sum + BigInt(each.high_watermark) - BigInt(each.log_start),
    0n,
  );
  const size = data?.partitions.reduce((sum, each) => sum + (each.bytes ?? 0), 0);
  const facts = data && [
    counted(records ?? 0, "event"),
    counted(data.partitions.length, "partition"),
    bytes(size ?? 0),
    data.team ? `team ${data.team}` : "no team",
  ];
  return (
    <Page
      title={topic}
      mono
      fill={tab === "messages"}
      actions={data && !data.internal && <Button onClick={() => setSending(true)}>Send an event</Button>}
      over={
        <Link to="/topics" className="link">
          Topics
        </Link>
      }
      summary={
        <>
          {data?.summary && <span className="block text-ink">{data.summary}</span>}
          <span className="figures">{facts ? facts.join(" · ") : "\u00a0"}</span>
          {data && <SchemaLinks topic={topic} />}
          {data?.team && (
            <>
              {" · "}
              <Link to="/catalogue/$event" params={{ event: topic }} className="link">
                catalogue
              </Link>
            </>
          )}
        </>
      }
    >
      {error && data === undefined ? (
        <ErrorState
          error={error}
          title={error instanceof Problem && error.status === 404 ? "There is no such topic" : undefined}
          onRetry={() => void refetch()}
        >
          {error instanceof Problem && error.status === 404 && (
            <p className="mt-1">
              A topic is made when the first event is sent to it.{" "}
              <Link to="/topics" className="link">
                See all topics
              </Link>
              .
            </p>
          )}
        </ErrorState>
      ) : isPending ? (
        <Loading what="Reading the topic …" />
      ) : (
        <>
          <Tabs
            label="Parts of the topic"
            tabs={TABS.map((each) => ({
              name: each.name,
              link: linkOptions({
                to: "/topics/$topic",
                params: { topic },
                search: each.tab === "messages" ? {} : { tab: each.tab },
              }),
              open: tab === each.tab,
            }))}
          />
          {sending && <SendDialog topic={topic} onClose={() => setSending(false)} />}
          {data && tab === "messages" && <Messages topic={data} />}
          {data && tab === "consumers" && <Consumers topic={data.name} />}
          {data && tab === "config" && <Settings topic={data} />}
        </>
      )}
    </Page>
  );
}

/** Links to the schemas of a topic's values and keys in the registry, where it has them. */
function SchemaLinks({ topic }: { topic: string }) {
  const subjects = useQuery(topicSubjectsQuery(topic)).data ?? [];
  return subjects.toReversed().map(({ subject, latest_version: version }) => (
    <span key={subject}>
      {" · "}
      <Link to="/registry/$subject" params={{ subject }} className="link">
        {subject === `${topic}-key` ? "key" : "value"} schema, version {version}
      </Link>
    </span>
  ));
}
