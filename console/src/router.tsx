// Every page by its address. A folder under `routes/` owns its pages and exports their routes; each page is
// loaded when it is first visited.
import { createRouter } from "@tanstack/react-router";
import { withQuery, type Query } from "./api/client";
import { rootRoute } from "./app/root";
import { accessRoutes } from "./routes/access/routes";
import { catalogueRoutes } from "./routes/catalogue/routes";
import { dashboardRoutes } from "./routes/dashboards/routes";
import { groupRoutes } from "./routes/groups/routes";
import { homeRoutes } from "./routes/home/routes";
import { pipelineRoutes } from "./routes/pipelines/routes";
import { registryRoutes } from "./routes/registry/routes";
import { sqlRoutes } from "./routes/sql/routes";
import { topicRoutes } from "./routes/topics/routes";
import { viewRoutes } from "./routes/views/routes";

const routeTree = rootRoute.addChildren([
  ...homeRoutes,
  ...topicRoutes,
  ...catalogueRoutes,
  ...registryRoutes,
  ...groupRoutes,
  ...viewRoutes,
  ...sqlRoutes,
  ...pipelineRoutes,
  ...dashboardRoutes,
  ...accessRoutes,
]);

export const router = createRouter({
  routeTree,
  // Plain text both ways: an offset of 64 bits must not pass through a number. Routes parse what they take.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => withQuery("", search as Query),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
