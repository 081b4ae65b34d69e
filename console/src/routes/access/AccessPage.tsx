// Who may log in, what each may do, and how much of the server each may use.
import { getRouteApi } from "@tanstack/react-router";
import { TextField } from "~/ui/Field";
import { Page } from "~/ui/Page";
import { Quotas } from "./Quotas";
import { Rules } from "./Rules";
import type { Tab } from "./search";
import { Tabs } from "./Tabs";
import { Users } from "./Users";

const route = getRouteApi("/access");

const PARTS: Record<Tab | "users", { summary: string; find: string }> = {
  users: { summary: "Those who may log in, over Kafka and HTTP alike.", find: "Find a user" },
  rules: { summary: "Who may do what with which topics, groups and transactional ids.", find: "Find a rule" },
  quotas: { summary: "How much Kafka clients may use; who uses more waits.", find: "Find a quota" },
};

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
      <Tabs tab={tab} />
      {tab === "rules" ? <Rules q={q} /> : tab === "quotas" ? <Quotas q={q} /> : <Users q={q} />}
    </Page>
  );
}
