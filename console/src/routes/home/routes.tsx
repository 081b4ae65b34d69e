// `/`: how the server does, and what to try next. Loaded with the shell, since it is where everyone arrives.
import { createRoute } from "@tanstack/react-router";
import { rootRoute } from "../../app/root";
import { HomePage } from "./HomePage";

export const homeRoutes = [createRoute({ getParentRoute: () => rootRoute, path: "/", component: HomePage })] as const;
