// The text of a schema to read: names, strings, numbers and comments told apart. The text is only ever text.
//
// Bounded: beyond `COLOURED` characters it is shown in one colour, and beyond `SHOWN` until more is asked for.
import { useState, type ReactNode } from "react";

const COLOURED = 100_000;
const SHOWN = 200_000;

const TOKEN = /("(?:[^"\\\n]|\\.)*")(\s*:)?|(\/\/[^\n]*|\/\*[\s\S]*?\*\/)|\b(true|false|null|-?\d+(?:\.\d+)?)\b/g;

export function SchemaText({ text, label }: { text: string; label: string }) {
  const [all, setAll] = useState(false);
  const shown = all ? text : text.slice(0, SHOWN);
  return (
    <>
      <pre
        tabIndex={0}
        aria-label={label}
        className="fade-end data max-h-[36rem] py-1 leading-[1.6] whitespace-pre max-sm:whitespace-pre-wrap max-sm:wrap-anywhere"
      >
        {shown.length > COLOURED ? shown : highlighted(shown)}
      </pre>
      {shown.length < text.length && (
        <button type="button" className="link mt-1" onClick={() => setAll(true)}>
          Show all {text.length} characters
        </button>
      )}
    </>
  );
}

function highlighted(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [whole, string, colon, comment, word] = match;
    const look = comment
      ? "italic text-ink-soft"
      : word
        ? "text-accent"
        : string && colon === undefined
          ? "text-[color:var(--series-2)]"
          : null;
    if (look === null) continue;
    const token = string ?? whole;
    parts.push(
      text.slice(end, match.index),
      <span key={match.index} className={look}>
        {token}
      </span>,
    );
    end = match.index + token.length;
  }
  parts.push(text.slice(end));
  return parts;
}
