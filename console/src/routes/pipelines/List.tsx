// A short list as a plain table. Where there is no room for columns, each row becomes a block:
// its name first, then the cells side by side, numbers with the word that the head would say.
import type { ReactNode } from "react";
import "./pipelines.css";

export function List({ label, children }: { label: string; children: ReactNode }) {
  return (
    <table aria-label={label} className="list">
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
