// The groups that read a topic, and how far each is behind in it.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { topicGroupsQuery, type TopicGroup } from "../../api/queries";
import { EmptyState } from "../../ui/EmptyState";
import { ErrorState } from "../../ui/ErrorState";
import { Loading } from "../../ui/Loading";
import { Num } from "../../ui/Num";
import { TableFrame, type TableColumn } from "../../ui/Table";
import { GroupState } from "../groups/GroupState";

export function Consumers({ topic }: { topic: string }) {
  const groups = useQuery(topicGroupsQuery(topic));
  if (groups.isPending) return <Loading what="Reading the groups …" />;
  if (groups.data === undefined) {
    return (
      <ErrorState error={groups.error} title="The groups cannot be listed" onRetry={() => void groups.refetch()} />
    );
  }
  if (groups.data.length === 0) {
    return (
      <EmptyState title="No consumer group reads this topic.">
        <p>
          A group is listed here once a member of it has a partition of the topic, or an offset in it is committed.
          Views read it without a group: see Pipelines.
        </p>
      </EmptyState>
    );
  }
  return <TableFrame label="Consumer groups" columns={COLUMNS} rows={groups.data} rowKey={(each) => each.id} />;
}

const COLUMNS: TableColumn<TopicGroup>[] = [
  {
    title: "Group",
    cell: (each) => (
      <Link to="/groups/$group" params={{ group: each.id }} className="data link">
        {each.id}
      </Link>
    ),
  },
  { title: "State", width: "9.5rem", narrow: "hide", cell: (each) => <GroupState state={each.state} /> },
  { title: "Members", width: "5.5rem", align: "right", cell: (each) => <Num value={each.members} /> },
  {
    title: "Partitions",
    width: "6.5rem",
    align: "right",
    narrow: "hide",
    cell: (each) => <Num value={each.partitions} />,
  },
  { title: "Lag", width: "6rem", align: "right", cell: (each) => <Num value={each.lag} /> },
];
