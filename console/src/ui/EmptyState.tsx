// Nothing here yet: says why, and what brings something.
import type { ReactNode } from "react";

export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="border-t border-rule py-8">
      <p className="font-serif text-[1.125rem]">{title}</p>
      {children && <div className="mt-2 max-w-[var(--measure)] space-y-3 text-ink-soft">{children}</div>}
    </div>
  );
}
