// Where the reading begins, and what is looked for. What is typed is part of the address a moment later.
import { useEffect, useState } from "react";
import type { TopicView } from "../../api/queries";
import { Button } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { localTime } from "../../ui/localTime";
import type { From, TopicSearch } from "./search";

interface PlaceProps {
  topic: TopicView;
  search: TopicSearch;
  change: (next: Partial<TopicSearch>, replace?: boolean) => void;
  /** What is wrong with the filter. */
  problem?: string;
}

const PLACES: { from: From; name: string }[] = [
  { from: "tail", name: "Live" },
  { from: "latest", name: "Newest first" },
  { from: "earliest", name: "Oldest first" },
  { from: "offset", name: "From an offset" },
  { from: "time", name: "From a time" },
];

/** Typing rests this long before it is looked for. */
const REST = 200;

export function Place({ topic, search, change, problem }: PlaceProps) {
  const from = search.from ?? "tail";
  const begin = (next: From) =>
    change({
      from: next === "tail" ? undefined : next,
      offset: next === "offset" ? (search.offset ?? "0") : undefined,
      partition: next === "offset" ? (search.partition ?? 0) : search.partition,
      at: next === "time" ? (search.at ?? new Date(Date.now() - 3_600_000).toISOString()) : undefined,
      message: undefined,
    });
  return (
    <form
      role="search"
      className="flex flex-wrap items-end gap-x-3 gap-y-2.5"
      onSubmit={(event) => event.preventDefault()}
    >
      <SelectField
        label="Read"
        className="w-36 max-sm:flex-1"
        value={from}
        onChange={(event) => begin(event.target.value as From)}
      >
        {PLACES.map((each) => (
          <option key={each.from} value={each.from}>
            {each.name}
          </option>
        ))}
      </SelectField>
      <SelectField
        label="Partition"
        className="w-24 max-sm:flex-1"
        value={search.partition ?? ""}
        onChange={(event) => change({ partition: event.target.value === "" ? undefined : Number(event.target.value) })}
      >
        {from !== "offset" && <option value="">All</option>}
        {topic.partitions.map(({ partition }) => (
          <option key={partition} value={partition}>
            {partition}
          </option>
        ))}
      </SelectField>
      {from === "offset" && (
        <Typed
          label="Offset"
          className="w-36 max-sm:flex-1"
          inputMode="numeric"
          value={search.offset ?? ""}
          valid={(text) => (/^-?\d{1,19}$/.test(text) ? undefined : "a whole number; -10 is ten before the end")}
          onValue={(offset) => change({ offset }, true)}
        />
      )}
      {from === "time" && (
        <TextField
          label="Time (yours)"
          type="datetime-local"
          step="1"
          className="w-56 max-sm:w-full"
          value={localTime(search.at)}
          onChange={(event) => event.target.value && change({ at: new Date(event.target.value).toISOString() }, true)}
        />
      )}
      <div className="flex min-w-40 flex-1 items-end gap-2 max-sm:basis-full">
        <Typed
          label={search.fields ? "Fields are" : "Key or value has"}
          className="flex-1"
          type="search"
          placeholder={
            search.fields
              ? "such as  Total >= 9 and Region = Region1"
              : search.regex
                ? 'such as  Total":\\s*9\\d'
                : "text, in any case"
          }
          value={search.q ?? ""}
          problem={problem}
          onValue={(q) => change({ q: q || undefined }, true)}
        />
        <Button
          pressed={search.regex ?? false}
          title="Take the text as a regular expression"
          onClick={() => change({ regex: search.regex ? undefined : true, fields: undefined }, true)}
        >
          Regex
        </Button>
        <Button
          pressed={search.fields ?? false}
          title="Take the text as conditions on fields: name, = != < <= > >= ~ or exists, value, joined by and"
          onClick={() => change({ fields: search.fields ? undefined : true, regex: undefined }, true)}
        >
          Fields
        </Button>
      </div>
    </form>
  );
}

interface TypedProps extends Omit<React.ComponentProps<typeof TextField>, "onChange" | "value"> {
  value: string;
  valid?: (text: string) => string | undefined;
  onValue: (value: string) => void;
}

/** A field that passes on what was typed once typing rests, and only if it is valid. */
function Typed({ value, valid, onValue, problem, ...rest }: TypedProps) {
  const [text, setText] = useState(value);
  const [passed, setPassed] = useState(value);
  if (value !== passed) {
    setPassed(value);
    setText(value);
  }
  const wrong = valid?.(text);
  useEffect(() => {
    if (text === value || wrong) return;
    const timer = setTimeout(() => {
      setPassed(text);
      onValue(text);
    }, REST);
    return () => clearTimeout(timer);
  });
  return (
    <TextField {...rest} value={text} problem={wrong ?? problem} onChange={(event) => setText(event.target.value)} />
  );
}
