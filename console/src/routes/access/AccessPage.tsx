// Who may log in, what each may do, and how much of the server each may use.
import { getRouteApi, linkOptions } from "@tanstack/react-router";
import { TextField } from "~/ui/Field";
import { Page } from "~/ui/Page";
import { Tabs } from "~/ui/Tabs";
import { Quotas } from "./Quotas";
import { Rules } from "./Rules";
import type { Tab } from "./search";
import { Users } from "./Users";

const route = getRouteApi("/access");

const PARTS: Record<Tab | "users", { summary: string; find: string }> = {
  users: { summary: "Those who may log in, over Kafka and HTTP alike.", find: "Find a user" },
  rules: { summary: "Who may do what with which topics, groups and transactional ids.", find: "Find a rule" },
  quotas: { summary: "How much Kafka clients may use; who uses more waits.", find: "Find a quota" },
};

const TABS: { tab: Tab | undefined; name: string }[] = [
  { tab: undefined, name: "Users" },
  { tab: "rules", name: "Rules" },
  { tab: "quotas", name: "Quotas" },
];

export function AccessPage() {
  const { tab, q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const part = PARTS[tab ?? "users"];
  return (
    <Page
      title="Access"
      summary={part.summary}
      actions={
        <TextField
          key={tab}
          label={part.find}
          hideLabel
          type="search"
          placeholder="Find by name"
          className="w-52 max-sm:w-40"
          value={q}
          onChange={(event) =>
            void navigate({
              search: (now) => ({ ...now, q: event.target.value || undefined }),
              replace: true,
              resetScroll: false,
            })
          }
        />
      }
    >
      <Tabs
        label="Parts of the page"
        tabs={TABS.map((each) => ({
          name: each.name,
          link: linkOptions({ to: "/access", search: { tab: each.tab } }),
          open: each.tab === tab,
        }))}
      />
      {tab === "rules" ? <Rules q={q} /> : tab === "quotas" ? <Quotas q={q} /> : <Users q={q} />}
    </Page>
  );
}
