// The root route: the shell around every page, the page for an unknown path, and the last resort for an error.
import { createRootRoute, Link, useRouter } from "@tanstack/react-router";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { Page } from "../ui/Page";
import { Shell } from "./Shell";

export const rootRoute = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: PageError,
});

function NotFound() {
  return (
    <Page title="No such page">
      <EmptyState title="There is nothing at this address.">
        <p>
          Go{" "}
          <Link to="/" className="link">
            home
          </Link>
          , or press <kbd className="data">Ctrl K</kbd> to search topics, views and pipelines by name.
        </p>
      </EmptyState>
    </Page>
  );
}

export function PageError({ error, reset }: { error: unknown; reset?: () => void }) {
  const router = useRouter();
  const retry = () => {
    reset?.();
    void router.invalidate();
  };
  return (
    <Page title="This page failed">
      <ErrorState error={error} onRetry={retry}>
        <p className="mt-1">If it fails again, reload the window: the server may have been replaced by a newer one.</p>
      </ErrorState>
    </Page>
  );
}
