// `/dashboards` and `/dashboards/{dashboard}`.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../app/root";

export const dashboardRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/dashboards",
    component: lazyRouteComponent(() => import("./DashboardsPage"), "DashboardsPage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/dashboards/$dashboard",
    component: lazyRouteComponent(() => import("./DashboardPage"), "DashboardPage"),
  }),
] as const;
