// Every dashboard that teams have declared.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { dashboardsQuery } from "~/api/queries";
import { counted } from "~/charts/decimal";
import { Command } from "~/ui/Command";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { Page } from "~/ui/Page";

const FIRST = `title: Orders, live
panels:
  - { title: Orders so far, number: orders, view: orders_so_far }`;

export function DashboardsPage() {
  return (
    <Page
      title="Dashboards"
      summary="What teams watch: numbers, lines, bars and tables of their views, as they change."
    >
      <Dashboards />
    </Page>
  );
}

function Dashboards() {
  const dashboards = useQuery(dashboardsQuery);
  if (dashboards.isPending) return <Loading what="Reading the dashboards …" />;
  if (dashboards.isError && !dashboards.data) {
    return (
      <ErrorState
        error={dashboards.error}
        title="The dashboards cannot be listed"
        onRetry={() => void dashboards.refetch()}
      />
    );
  }
  if (dashboards.data.length === 0) {
    return (
      <EmptyState title="No dashboard is declared yet.">
        <p>
          Save one as <code className="data">teams/&lt;team&gt;/dashboards/&lt;name&gt;.yaml</code> in the project's
          folder:
        </p>
        <Command label="first dashboard" text={FIRST} />
      </EmptyState>
    );
  }
  return (
    <ul className="border-t border-ink/70">
      {dashboards.data.map((dashboard) => (
        <li key={dashboard.name} className="border-b border-rule py-3.5">
          <h2 className="font-serif text-[1.125rem] leading-snug">
            <Link to="/dashboards/$dashboard" params={{ dashboard: dashboard.name }} className="link">
              {dashboard.title}
            </Link>
          </h2>
          {dashboard.summary && <p className="mt-0.5 max-w-[var(--measure)]">{dashboard.summary}</p>}
          <p className="label mt-1">
            <span className="data">{dashboard.name}</span> · {counted(dashboard.panels.length, "panel")}
          </p>
        </li>
      ))}
    </ul>
  );
}
