// The frame of every page: navigation, the palette's door, the theme, and what is wrong right now.
import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { useConnection } from "../api/connection";
import { overviewQuery, projectQuery } from "../api/queries";
import { ConnectionNotice } from "./ConnectionNotice";
import { Navigation } from "./Navigation";
import { ProjectNotice } from "./ProjectNotice";
import { ThemeSwitch } from "./ThemeSwitch";
import { Wordmark } from "./Wordmark";

const Palette = lazy(() => import("./Palette").then((module) => ({ default: module.Palette })));

export function Shell() {
  const [palette, setPalette] = useState(false);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey)
        return;
      event.preventDefault();
      setPalette((open) => !open);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
  const open = () => setPalette(true);
  return (
    <div className="flex min-h-dvh flex-col md:grid md:grid-cols-[var(--sidebar)_minmax(0,1fr)]">
      <a
        href="#content"
        className="absolute top-2 left-2 z-50 -translate-y-20 rounded-box bg-accent px-3 py-1.5 text-on-accent focus:translate-y-0"
      >
        Skip to the content
      </a>
      <TopBar onSearch={open} />
      <SideBar onSearch={open} />
      <div className="flex min-w-0 flex-1 flex-col">
        <ConnectionNotice />
        <ProjectNotice />
        <main id="content" tabIndex={-1} className="flex min-h-0 w-full max-w-[96rem] flex-1 flex-col outline-none">
          <Outlet />
        </main>
      </div>
      {palette && (
        <Suspense>
          <Palette onClose={() => setPalette(false)} />
        </Suspense>
      )}
    </div>
  );
}

function TopBar({ onSearch }: { onSearch: () => void }) {
  return (
    <header className="sticky top-0 z-30 border-b border-rule bg-paper px-3 pt-2.5 sm:px-6 md:hidden">
      <div className="mb-1 flex items-center justify-between gap-3">
        <Wordmark />
        <div className="flex items-center gap-2">
          <ThemeSwitch />
          <button
            type="button"
            onClick={onSearch}
            className="rounded-box border border-rule-strong/60 px-2 py-0.5 text-small"
          >
            Search
          </button>
        </div>
      </div>
      <Navigation row />
    </header>
  );
}

function SideBar({ onSearch }: { onSearch: () => void }) {
  const { data: project } = useQuery(projectQuery);
  return (
    <header className="sticky top-0 hidden h-dvh flex-col border-r border-rule py-7 md:flex">
      <div className="px-5">
        <Wordmark />
        <p className="label mt-1.5 truncate">{project?.name ?? "\u00a0"}</p>
      </div>
      <div className="mt-6 mb-5 px-4">
        <button
          type="button"
          onClick={onSearch}
          aria-keyshortcuts="Control+K Meta+K"
          className="flex h-8 w-full items-center justify-between rounded-box border border-rule-strong/60 bg-raised px-2.5 text-ink-soft hover:border-ink hover:text-ink"
        >
          Search
          <kbd className="font-sans text-small">{isMac() ? "⌘ K" : "Ctrl K"}</kbd>
        </button>
      </div>
      <div className="flex-1 overflow-y-auto pl-2.5">
        <Navigation />
      </div>
      <div className="space-y-3 px-3">
        <ThemeSwitch />
        <ServerLine />
      </div>
    </header>
  );
}

function ServerLine() {
  const connection = useConnection();
  const { data } = useQuery(overviewQuery);
  const up = connection.state === "up";
  const ready = data?.health.ready ?? true;
  const words = !up ? "Server gone" : ready ? "Connected" : "Not ready";
  const colour = !up ? "bg-warn" : ready ? "bg-good" : "bg-bad";
  return (
    <p className="label flex items-center gap-2 px-2">
      <span aria-hidden className={`size-2 rounded-full ${colour}`} />
      {words}
      {data && <span className="ml-auto">{data.version}</span>}
    </p>
  );
}

function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.platform);
}
