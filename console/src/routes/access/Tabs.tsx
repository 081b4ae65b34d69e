// The three parts of the page.
import { Link } from "@tanstack/react-router";
import type { Tab } from "./search";

const TABS: { tab: Tab | undefined; name: string }[] = [
  { tab: undefined, name: "Users" },
  { tab: "rules", name: "Rules" },
  { tab: "quotas", name: "Quotas" },
];

export function Tabs({ tab }: { tab: Tab | undefined }) {
  return (
    <nav aria-label="Parts of the page" className="mb-4 flex gap-5 border-b border-rule">
      {TABS.map((each) => (
        <Link
          key={each.name}
          to="/access"
          search={each.tab ? { tab: each.tab } : {}}
          aria-current={tab === each.tab ? "page" : undefined}
          className={`-mb-px border-b-2 pb-1.5 ${
            tab === each.tab ? "border-accent font-semibold" : "border-transparent text-ink-soft hover:text-ink"
          }`}
          activeProps={{}}
        >
          {each.name}
        </Link>
      ))}
    </nav>
  );
}
