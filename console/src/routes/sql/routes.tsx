// `/sql`: the query is part of the address, so that it can be kept and sent.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../app/root";

export interface SqlSearch {
  q?: string;
}

export const sqlRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/sql",
    validateSearch: (raw: Record<string, unknown>): SqlSearch =>
      raw.q === undefined || raw.q === "" ? {} : { q: String(raw.q) },
    component: lazyRouteComponent(() => import("./SqlPage"), "SqlPage"),
  }),
] as const;
