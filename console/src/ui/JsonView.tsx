// JSON as a tree that opens and closes. Everything is text: what an event holds is never markup.
//
// Bounded: a level shows `PAGE` entries until more are asked for, and a string `LONG` characters.
import { useState } from "react";
import { Digits, type Json } from "../api/json";

const PAGE = 100;
const LONG = 2_000;
/** Levels open at first. */
const OPEN = 2;

export function JsonView({ value, label }: { value: Json; label: string }) {
  return (
    <div role="group" aria-label={label} className="data leading-[1.6]">
      <Node value={value} level={0} />
    </div>
  );
}

function Node({ name, value, level }: { name?: string; value: Json; level: number }) {
  const entries = entriesOf(value);
  if (!entries) {
    return (
      <div className="pl-4 break-words whitespace-pre-wrap">
        <Key name={name} />
        <Scalar value={value} />
      </div>
    );
  }
  return <Branch name={name} entries={entries} array={Array.isArray(value)} level={level} />;
}

interface BranchProps {
  name?: string;
  entries: [string, Json][];
  array: boolean;
  level: number;
}

function Branch({ name, entries, array, level }: BranchProps) {
  const [open, setOpen] = useState(level < OPEN);
  const [shown, setShown] = useState(PAGE);
  const [left, right] = array ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) {
    return (
      <div className="pl-4">
        <Key name={name} />
        <span className="text-ink-soft">{left + right}</span>
      </div>
    );
  }
  return (
    <div>
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="text-left hover:bg-sunken">
        <span aria-hidden className="inline-block w-4 text-ink-soft">
          {open ? "▾" : "▸"}
        </span>
        <Key name={name} />
        <span className="text-ink-soft">
          {open ? left : `${left} ${entries.length} ${array ? "items" : "fields"} ${right}`}
        </span>
      </button>
      {open && (
        <>
          <div className="ml-[0.45rem] border-l border-rule pl-2.5">
            {entries.slice(0, shown).map(([key, each]) => (
              <Node key={key} name={key} value={each} level={level + 1} />
            ))}
            {entries.length > shown && (
              <button type="button" className="link ml-4" onClick={() => setShown(shown + 10 * PAGE)}>
                Show more ({entries.length - shown} left)
              </button>
            )}
          </div>
          <div className="pl-4 text-ink-soft">{right}</div>
        </>
      )}
    </div>
  );
}

function Key({ name }: { name?: string }) {
  if (name === undefined) return null;
  return (
    <>
      <span className="text-ink-soft">{name}</span>
      <span className="text-ink-soft">: </span>
    </>
  );
}

function Scalar({ value }: { value: Json }) {
  const [all, setAll] = useState(false);
  if (typeof value === "string") {
    const cut = !all && value.length > LONG;
    return (
      <>
        <span>{JSON.stringify(cut ? value.slice(0, LONG) : value)}</span>
        {cut && (
          <button type="button" className="link ml-2" onClick={() => setAll(true)}>
            Show all {value.length} characters
          </button>
        )}
      </>
    );
  }
  if (value === null) return <span className="text-ink-soft italic">null</span>;
  return <span className="text-accent">{String(value)}</span>;
}

function entriesOf(value: Json): [string, Json][] | null {
  if (value === null || typeof value !== "object" || value instanceof Digits) return null;
  return Array.isArray(value) ? value.map((each, index) => [String(index), each]) : Object.entries(value);
}
