// The parts of a page, each at an address of its own; one is open.
import { Link, type LinkProps } from "@tanstack/react-router";

export interface Tab {
  name: string;
  /** Where it is, as `linkOptions` checks it. */
  link: Pick<LinkProps, "to" | "params" | "search">;
  open: boolean;
}

export function Tabs({ label, tabs }: { label: string; tabs: Tab[] }) {
  return (
    <nav aria-label={label} className="mb-4 flex flex-wrap gap-x-5 border-b border-rule max-sm:gap-x-3.5">
      {tabs.map(({ name, link, open }) => (
        <Link
          key={name}
          {...link}
          aria-current={open ? "page" : undefined}
          className={`-mb-px border-b-2 pb-1.5 ${
            open ? "border-accent font-semibold" : "border-transparent text-ink-soft hover:text-ink"
          }`}
          activeProps={{}}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
