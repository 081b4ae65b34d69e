// `/access`: users, rules and quotas, each a part of one page.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../app/root";
import { parseAccessSearch } from "./search";

export const accessRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/access",
    validateSearch: parseAccessSearch,
    component: lazyRouteComponent(() => import("./AccessPage"), "AccessPage"),
  }),
] as const;
