// One dashboard: its panels, live. Each stands for itself: what is wrong with one stops no other.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { dashboardQuery, type Dashboard } from "~/api/queries";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { Page } from "~/ui/Page";
import { DashboardClock } from "./DashboardClock";
import { DashboardPanel } from "./DashboardPanel";
import { rowsOf } from "./layout";
import "./dashboards.css";

const route = getRouteApi("/dashboards/$dashboard");

export function DashboardPage() {
  const { dashboard: name } = route.useParams();
  const dashboard = useQuery(dashboardQuery(name));
  const over = (
    <Link to="/dashboards" className="link">
      Dashboards
    </Link>
  );
  if (!dashboard.data) {
    return (
      <Page title={name} mono over={over}>
        {dashboard.isPending ? (
          <Loading what="Reading the dashboard …" />
        ) : (
          <ErrorState
            error={dashboard.error}
            title="This dashboard cannot be shown"
            onRetry={() => void dashboard.refetch()}
          />
        )}
      </Page>
    );
  }
  const views = [...new Set(dashboard.data.panels.map((panel) => panel.view))];
  return (
    <Page
      title={dashboard.data.title}
      over={over}
      summary={dashboard.data.summary}
      actions={<DashboardClock key={views.join()} views={views} />}
    >
      <Panels dashboard={dashboard.data} />
    </Page>
  );
}

function Panels({ dashboard }: { dashboard: Dashboard }) {
  if (dashboard.panels.length === 0) {
    return (
      <EmptyState title="This dashboard has no panels.">
        Add some under <code className="data">panels:</code> in its file.
      </EmptyState>
    );
  }
  const rows = rowsOf(dashboard.panels.map((panel) => ({ ...panel, wide: panel.wide ?? false })));
  return (
    <div className="dashboard">
      {rows.map((row, index) => (
        <div
          key={index}
          className="dashboard-row"
          data-kind={row[0]?.kind}
          style={{ "--panels": row.length } as React.CSSProperties}
        >
          {row.map((panel, at) => (
            <DashboardPanel key={`${panel.title}\u0000${at}`} panel={panel} />
          ))}
        </div>
      ))}
    </div>
  );
}
