// `/groups` and `/groups/{group}`. How the list is narrowed and ordered is part of the address.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../app/root";
import { parseGroupSearch, parseListSearch } from "./search";

export const groupRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/groups",
    validateSearch: parseListSearch,
    component: lazyRouteComponent(() => import("./GroupsPage"), "GroupsPage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/groups/$group",
    validateSearch: parseGroupSearch,
    component: lazyRouteComponent(() => import("./GroupPage"), "GroupPage"),
  }),
] as const;
