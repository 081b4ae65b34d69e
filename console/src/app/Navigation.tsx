// Links to the pages: a column at the side, a row at the top where the window is narrow.
import { Link, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { PAGES } from "./pages";

export function Navigation({ row }: { row?: boolean }) {
  const list = useRef<HTMLUListElement>(null);
  const { pathname } = useLocation();
  // A row may be wider than a phone: the page that is open stays in sight.
  useEffect(() => {
    const current = list.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (row && current) current.scrollIntoView({ inline: "nearest", block: "nearest" });
  }, [row, pathname]);
  return (
    <nav aria-label="Pages">
      <ul ref={list} className={row ? "-mx-1 flex justify-between overflow-x-auto" : "space-y-px"}>
        {PAGES.map((page) => (
          <li key={page.to}>
            <Link
              to={page.to}
              activeOptions={{ exact: page.exact, includeSearch: false }}
              className={
                row
                  ? "block border-b-2 px-1 py-1.5 text-small -outline-offset-2"
                  : "block border-l-2 py-1.5 pr-3 pl-3.5 -outline-offset-2"
              }
              activeProps={{ className: "border-accent font-semibold text-ink" }}
              inactiveProps={{ className: "border-transparent text-ink-soft hover:text-ink" }}
            >
              {page.name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
