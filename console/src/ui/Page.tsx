// A page: its title, what may be done there, and its content, on one measure.
import { useEffect, type ReactNode } from "react";

interface PageProps {
  /** The heading, and the tab's title. */
  title: string;
  /** Set in monospace: names of topics, views and pipelines. */
  mono?: boolean;
  /** A line above the heading: where this page belongs. */
  over?: ReactNode;
  /** One sentence below the heading. */
  summary?: ReactNode;
  actions?: ReactNode;
  /** Fills the window's height: for pages whose content scrolls in itself. */
  fill?: boolean;
  children: ReactNode;
}

export function Page({ title, mono, over, summary, actions, fill, children }: PageProps) {
  useEffect(() => {
    document.title = title === "Factum" ? title : `${title} · Factum`;
  }, [title]);
  return (
    <div className={`px-3 pt-5 pb-10 sm:px-6 md:px-10 md:pt-8 ${fill ? "flex min-h-0 flex-1 flex-col md:pb-6" : ""}`}>
      <header className="mb-5 flex flex-wrap items-end justify-between gap-x-6 gap-y-3 md:mb-6">
        <div className="max-w-[var(--measure)] min-w-0">
          {over && <div className="label mb-1">{over}</div>}
          <h1
            className={
              mono
                ? "font-mono text-[1.25rem] leading-tight font-medium tracking-tight break-all"
                : "font-serif text-title leading-tight font-[560] tracking-[-0.01em]"
            }
          >
            {title}
          </h1>
          {summary && <p className="mt-1.5 text-ink-soft">{summary}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
