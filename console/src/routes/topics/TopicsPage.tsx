// All topics: who owns them, how much they hold, how fast they grow.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useOverviewStream } from "../../api/overview";
import { postCommand } from "../../api/post-command";
import { topicsQuery, type TopicLine } from "../../api/queries";
import { Button } from "../../ui/Button";
import { Command } from "../../ui/Command";
import { EmptyState } from "../../ui/EmptyState";
import { ErrorState } from "../../ui/ErrorState";
import { TextField } from "../../ui/Field";
import { Loading } from "../../ui/Loading";
import { Num } from "../../ui/Num";
import { bytes, rate } from "../../ui/number";
import { Page } from "../../ui/Page";
import { TableFrame, type TableColumn } from "../../ui/Table";
import { CreateDialog } from "./CreateDialog";

type Sort = "name" | "records" | "bytes" | "rate";

export function TopicsPage() {
  const topics = useQuery(topicsQuery);
  const { latest } = useOverviewStream();
  const { q = "", sort = "name" } = useSearch({ from: "/topics" });
  const navigate = useNavigate({ from: "/topics" });
  const [creating, setCreating] = useState(false);
  const rates = new Map(latest?.by_topic.map((each) => [each.name, each.records_per_second]));

  const weight: Record<Exclude<Sort, "name">, (each: TopicLine) => number> = {
    records: (each) => Number(each.records),
    bytes: (each) => each.bytes ?? 0,
    rate: (each) => rates.get(each.name) ?? 0,
  };
  const shown = (topics.data ?? [])
    .filter((each) => `${each.name} ${each.team ?? ""}`.toLowerCase().includes(q.toLowerCase()))
    .sort((a, b) => (sort === "name" ? 0 : weight[sort](b) - weight[sort](a)) || a.name.localeCompare(b.name));

  const by = (key: Sort) => ({
    sorted: sort !== key ? undefined : key === "name" ? ("ascending" as const) : ("descending" as const),
    onSort: () =>
      void navigate({ search: (now) => ({ ...now, sort: key === "name" ? undefined : key }), replace: true }),
  });
  const columns: TableColumn<TopicLine>[] = [
    {
      title: "Topic",
      ...by("name"),
      cell: (each) => (
        <>
          <Link to="/topics/$topic" params={{ topic: each.name }} className="data link">
            {each.name}
          </Link>
          {each.summary && <span className="label block">{each.summary}</span>}
        </>
      ),
    },
    {
      title: "Team",
      width: "8rem",
      narrow: "hide",
      cell: (each) => each.team ?? <span className="text-ink-soft">none</span>,
    },
    {
      title: "Partitions",
      width: "6.5rem",
      align: "right",
      narrow: "hide",
      cell: (each) => <Num value={each.partitions} />,
    },
    {
      title: "Size",
      width: "7rem",
      align: "right",
      narrow: "hide",
      ...by("bytes"),
      cell: (each) => <Num value={each.bytes} format={bytes} />,
    },
    { title: "Events", width: "7rem", align: "right", ...by("records"), cell: (each) => <Num value={each.records} /> },
    {
      title: "Per second",
      width: "6.5rem",
      align: "right",
      ...by("rate"),
      cell: (each) => <Num value={rates.get(each.name)} format={(value) => rate(Number(value))} />,
    },
  ];

  return (
    <Page
      title="Topics"
      summary="Every event, in the order it came, for as long as it is kept."
      actions={
        <>
          {(topics.data?.length ?? 0) > 0 && (
            <TextField
              label="Find a topic"
              hideLabel
              placeholder="Find by name or team"
              className="w-56"
              value={q}
              onChange={(event) =>
                void navigate({ search: (now) => ({ ...now, q: event.target.value || undefined }), replace: true })
              }
            />
          )}
          <Button onClick={() => setCreating(true)}>Create a topic</Button>
        </>
      }
    >
      {creating && <CreateDialog onClose={() => setCreating(false)} />}
      {topics.isPending ? (
        <Loading what="Reading the topics …" />
      ) : topics.data === undefined ? (
        <ErrorState error={topics.error} onRetry={() => void topics.refetch()} />
      ) : topics.data.length === 0 ? (
        <EmptyState title="No topics yet.">
          <p>A topic is made when the first event is sent to it:</p>
          <Command label="command that sends an event" text={postCommand(location.origin, "shop.orders")} />
        </EmptyState>
      ) : shown.length === 0 ? (
        <EmptyState title={`No topic has “${q}” in its name or team.`} />
      ) : (
        <div className="border-t border-ink/70">
          <TableFrame label="Topics" columns={columns} rows={shown} rowKey={(each) => each.name} />
        </div>
      )}
    </Page>
  );
}
