// The name, and its mark: a record, an index, a remark.
import { Link } from "@tanstack/react-router";

export function Wordmark() {
  return (
    <Link to="/" className="inline-flex items-center gap-2" aria-label="Factum, home">
      <svg viewBox="0 0 20 20" aria-hidden className="size-5 text-accent">
        <path d="M2 4h16M2 10h11M2 16h6" stroke="currentColor" strokeWidth="2.4" />
      </svg>
      <span className="font-serif text-[1.1875rem] leading-none font-[620] tracking-[-0.01em]">Factum</span>
    </Link>
  );
}
