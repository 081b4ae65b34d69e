// `/catalogue` and `/catalogue/{event}`, an event by its topic or its type.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../app/root";
import { parseCatalogueSearch } from "./search";

export const catalogueRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/catalogue",
    validateSearch: parseCatalogueSearch,
    component: lazyRouteComponent(() => import("./CataloguePage"), "CataloguePage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/catalogue/$event",
    component: lazyRouteComponent(() => import("./EventPage"), "EventPage"),
  }),
] as const;
