// `/topics` and `/topics/{topic}`. What is searched and where the reading begins is part of the address.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../app/root";
import { parseListSearch, parseSearch } from "./search";

export const topicRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/topics",
    validateSearch: parseListSearch,
    component: lazyRouteComponent(() => import("./TopicsPage"), "TopicsPage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/topics/$topic",
    validateSearch: parseSearch,
    component: lazyRouteComponent(() => import("./TopicPage"), "TopicPage"),
  }),
] as const;
