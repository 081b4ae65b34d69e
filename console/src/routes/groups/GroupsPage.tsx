// All consumer groups: what they read, who is in them, how far they are behind; and the transactions that hold readers back.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, linkOptions } from "@tanstack/react-router";
import { groupsQuery, overviewQuery, type GroupLine } from "~/api/queries";
import { Command } from "~/ui/Command";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { SelectField, TextField } from "~/ui/Field";
import { Loading } from "~/ui/Loading";
import { Num } from "~/ui/Num";
import { counted } from "~/ui/number";
import { Page } from "~/ui/Page";
import { TableFrame, type TableColumn } from "~/ui/Table";
import { Tabs } from "~/ui/Tabs";
import { GroupState, stateLabel } from "./GroupState";
import type { GroupListSearch, Tab } from "./search";
import { Transactions } from "./Transactions";

const route = getRouteApi("/groups");

const TABS: { tab: Tab | undefined; name: string }[] = [
  { tab: undefined, name: "Groups" },
  { tab: "transactions", name: "Transactions" },
];

/** Topics that a row names; the group's own page has them all. */
const NAMED = 3;

export function GroupsPage() {
  const groups = useQuery(groupsQuery);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (next: GroupListSearch) =>
    void navigate({ search: (now) => ({ ...now, ...next }), replace: true, resetScroll: false });
  const all = groups.data ?? [];
  const states = [...new Set([...all.map((each) => each.state), ...(search.state ? [search.state] : [])])].sort();
  return (
    <Page
      title="Groups"
      summary={
        search.tab === "transactions"
          ? "Producers with a transactional id, and whom their open transactions keep waiting."
          : "Consumers that share the partitions of topics, and how far they have read."
      }
      actions={
        all.length > 0 &&
        search.tab === undefined && (
          <>
            <TextField
              label="Find a group"
              hideLabel
              type="search"
              placeholder="Find by name or topic"
              className="w-52 max-sm:w-40"
              value={search.q ?? ""}
              onChange={(event) => change({ q: event.target.value || undefined })}
            />
            <SelectField
              label="State"
              hideLabel
              className="w-36 max-sm:w-32"
              value={search.state ?? ""}
              onChange={(event) => change({ state: event.target.value || undefined })}
            >
              <option value="">Any state</option>
              {states.map((state) => (
                <option key={state} value={state}>
                  {stateLabel(state)}
                </option>
              ))}
            </SelectField>
          </>
        )
      }
    >
      <Tabs
        label="Parts of the page"
        tabs={TABS.map(({ tab, name }) => ({
          name,
          link: linkOptions({ to: "/groups", search: { tab } }),
          open: tab === search.tab,
        }))}
      />
      {search.tab === "transactions" ? (
        <Transactions />
      ) : groups.isPending ? (
        <Loading what="Reading the groups …" />
      ) : groups.data === undefined ? (
        <ErrorState error={groups.error} title="The groups cannot be listed" onRetry={() => void groups.refetch()} />
      ) : all.length === 0 ? (
        <NoGroups />
      ) : (
        <GroupTable groups={all} search={search} change={change} />
      )}
    </Page>
  );
}

function NoGroups() {
  const kafka = useQuery(overviewQuery).data?.kafka;
  const address = `${kafka?.host ?? location.hostname}:${kafka?.port ?? 9092}`;
  return (
    <EmptyState title="No consumer groups yet.">
      <p>A group appears when its first member joins. Any Kafka client will do:</p>
      <Command label="command that starts a consumer" text={`kcat -b ${address} -G my-group my.topic`} />
    </EmptyState>
  );
}

interface GroupTableProps {
  groups: GroupLine[];
  search: GroupListSearch;
  change: (next: GroupListSearch) => void;
}

function GroupTable({ groups, search, change }: GroupTableProps) {
  const { q = "", state, sort = "name" } = search;
  const weight = (each: GroupLine) => (sort === "lag" ? Number(each.lag) : sort === "members" ? each.members : 0);
  const shown = groups
    .filter((each) => [each.id, ...each.topics].some((name) => name.toLowerCase().includes(q.toLowerCase())))
    .filter((each) => state === undefined || each.state === state)
    .sort((a, b) => weight(b) - weight(a) || a.id.localeCompare(b.id));
  if (shown.length === 0) return <EmptyState title="No group is like that." />;
  const by = (key: "name" | "members" | "lag") => ({
    sorted: sort !== key ? undefined : key === "name" ? ("ascending" as const) : ("descending" as const),
    onSort: () => change({ sort: key === "name" ? undefined : key }),
  });
  const columns: TableColumn<GroupLine>[] = [
    {
      title: "Group",
      ...by("name"),
      cell: (each) => (
        <Link to="/groups/$group" params={{ group: each.id }} className="data link">
          {each.id}
        </Link>
      ),
    },
    { title: "Topics", width: "26%", narrow: "hide", cell: (each) => <Topics names={each.topics} /> },
    { title: "State", width: "6.5rem", cell: (each) => <GroupState state={each.state} /> },
    {
      title: "Protocol",
      width: "11rem",
      narrow: "hide",
      cell: (each) => each.protocol || <span className="text-ink-soft">none</span>,
    },
    {
      title: "Members",
      width: "5rem",
      align: "right",
      narrow: "hide",
      ...by("members"),
      cell: (each) => <Num value={each.members} />,
    },
    { title: "Lag", width: "6rem", align: "right", ...by("lag"), cell: (each) => <Num value={each.lag} /> },
  ];
  return (
    <div className="border-t border-ink/70">
      <TableFrame label="Groups" columns={columns} rows={shown} rowKey={(each) => each.id} />
    </div>
  );
}

function Topics({ names }: { names: string[] }) {
  if (names.length === 0) return <span className="text-ink-soft">none</span>;
  return (
    <>
      {names.slice(0, NAMED).map((topic) => (
        <Link key={topic} to="/topics/$topic" params={{ topic }} className="data link mr-3 inline-block">
          {topic}
        </Link>
      ))}
      {names.length > NAMED && <span className="label">and {counted(names.length - NAMED, "other")}</span>}
    </>
  );
}
