// A section under a hairline rule: heading at the left, what belongs to it at the right.
import { useId, type ReactNode } from "react";

interface PanelProps {
  title?: ReactNode;
  /** A quiet remark beside the heading. */
  note?: ReactNode;
  actions?: ReactNode;
  className?: string;
  children: ReactNode;
}

export function Panel({ title, note, actions, className = "", children }: PanelProps) {
  const id = useId();
  return (
    <section aria-labelledby={title ? id : undefined} className={`min-w-0 border-t border-ink/70 pt-2.5 ${className}`}>
      {(title || actions) && (
        <div className="mb-2.5 flex min-h-7 flex-wrap items-center justify-between gap-x-4 gap-y-1">
          <div className="flex min-w-0 flex-wrap items-baseline gap-x-3">
            {title && (
              <h2 id={id} className="text-text font-semibold">
                {title}
              </h2>
            )}
            {note && <span className="label">{note}</span>}
          </div>
          {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}
