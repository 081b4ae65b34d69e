// A short list as a plain table. Where there is no room for columns, each row becomes a block:
// its name first, then the cells side by side, numbers with the word that the head would say.
import type { ReactNode } from "react";
import "./pipelines.css";

interface ListProps {
  label: string;
  /** Stands alone on its page, and so begins with the rule that panels begin with. */
  page?: boolean;
  children: ReactNode;
}

export function List({ label, page, children }: ListProps) {
  return (
    <table aria-label={label} className={`list ${page ? "sm:border-t sm:border-ink/70" : ""}`}>
      {children}
    </table>
  );
}

export function ListHead({ children }: { children: ReactNode }) {
  return (
    <thead>
      <tr>{children}</tr>
    </thead>
  );
}

export function ListRow({ children }: { children: ReactNode }) {
  return <tr>{children}</tr>;
}

export function NameCell({ children }: { children: ReactNode }) {
  return (
    <th scope="row" className="data">
      {children}
    </th>
  );
}

interface ListCellProps {
  head?: boolean;
  number?: boolean;
  /** The word beside the value where the head is not shown. */
  label?: string;
  /** Only where the page is at least this wide. */
  from?: "md" | "lg";
  children: ReactNode;
}

export function ListCell({ head, number, label, from, children }: ListCellProps) {
  const look = { "data-number": number || undefined, "data-from": from };
  if (head) {
    return (
      <th scope="col" {...look}>
        {children}
      </th>
    );
  }
  return (
    <td {...look}>
      {children}
      {label && <span className="list-label">{label}</span>}
    </td>
  );
}
