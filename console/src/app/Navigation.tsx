// Links to the pages: a column at the side, a row at the top where the window is narrow.
import { Link } from "@tanstack/react-router";
import { PAGES } from "./pages";

export function Navigation({ row }: { row?: boolean }) {
  return (
    <nav aria-label="Pages">
      <ul className={row ? "-mx-1 flex justify-between overflow-x-auto" : "space-y-px"}>
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
