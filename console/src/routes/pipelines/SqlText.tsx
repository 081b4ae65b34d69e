// A statement to read: keywords, strings and comments told apart. The text is only ever text.
import type { ReactNode } from "react";

const TOKEN = /(--[^\n]*|\/\*[\s\S]*?\*\/)|('(?:[^']|'')*')|("(?:[^"]|"")*")|([A-Za-z_][A-Za-z0-9_]*)/g;

const KEYWORDS = new Set(
  `ALL AND ANY AS ASC BETWEEN BY CASE CAST CREATE CROSS CURRENT_DATE CURRENT_TIMESTAMP DESC DISTINCT ELSE EMIT END EXCEPT
  EXISTS FALSE FILTER FIRST FROM FULL GROUP HAVING IN INNER INTERVAL INTERSECT IS JOIN LAST LATERAL LEFT LIKE LIMIT
  MATERIALIZED NOT NULL NULLS OFFSET ON OR ORDER OUTER OVER PARTITION RIGHT SELECT THEN TRUE TUMBLE HOP UNION UNNEST USING
  VALUES VIEW WHEN WHERE WINDOW CLOSE WITH`.split(/\s+/),
);

export function SqlText({ text, label }: { text: string; label: string }) {
  return (
    <pre
      tabIndex={0}
      aria-label={label}
      className="fade-end data max-h-[28rem] py-1 leading-[1.65] whitespace-pre max-sm:whitespace-pre-wrap"
    >
      {highlighted(text)}
    </pre>
  );
}

function highlighted(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const look = lookOf(match);
    if (!look) continue;
    parts.push(
      text.slice(end, match.index),
      <span key={match.index} className={look}>
        {match[0]}
      </span>,
    );
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}

function lookOf([, comment, string, , word]: RegExpMatchArray): string | null {
  if (comment) return "italic text-ink-soft";
  if (string) return "text-[color:var(--series-2)]";
  return word && KEYWORDS.has(word.toUpperCase()) ? "text-accent" : null;
}
