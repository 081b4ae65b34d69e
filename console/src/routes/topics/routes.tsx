// `/topics` and `/topics/{topic}`. What is searched and where the reading begins is part of the address.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../app/root";
import { parseSearch } from "./search";

export const topicRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/topics",
    component: lazyRouteComponent(() => import("./TopicsPage"), "TopicsPage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/topics/$topic",
    validateSearch: parseSearch,
    component: lazyRouteComponent(() => import("./TopicPage"), "TopicPage"),
  }),
] as const;
