// `/registry` and `/registry/{subject}`. `/subjects` and `/schemas` are the registry's own API.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../app/root";
import { parseListSearch, parseSubjectSearch } from "./search";

export const registryRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/registry",
    validateSearch: parseListSearch,
    component: lazyRouteComponent(() => import("./SubjectsPage"), "SubjectsPage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/registry/$subject",
    validateSearch: parseSubjectSearch,
    component: lazyRouteComponent(() => import("./SubjectPage"), "SubjectPage"),
  }),
] as const;
