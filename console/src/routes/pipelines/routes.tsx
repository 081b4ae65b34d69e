// `/pipelines` and `/pipelines/{view}`.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../app/root";

export const pipelineRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/pipelines",
    component: lazyRouteComponent(() => import("./PipelinesPage"), "PipelinesPage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/pipelines/$pipeline",
    component: lazyRouteComponent(() => import("./PipelinePage"), "PipelinePage"),
  }),
] as const;
