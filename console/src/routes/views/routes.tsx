// `/views` and `/views/{view}`. How the rows are sorted, searched and shown is part of the address.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../app/root";
import { parseSearch } from "./search";

export const viewRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/views",
    component: lazyRouteComponent(() => import("./ViewsPage"), "ViewsPage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/views/$view",
    validateSearch: parseSearch,
    component: lazyRouteComponent(() => import("./ViewPage"), "ViewPage"),
  }),
] as const;
