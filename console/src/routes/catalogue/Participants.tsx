// Those who make an event, and those who read it.
import { Link } from "@tanstack/react-router";
import type { Consumer, Producer } from "~/api/queries";
import { counted } from "~/ui/number";

const MADE: Record<string, string> = {
  feed: "generator",
  transaction: "transactional id",
  source: "source of the latest events",
};

export function MadeBy({ producers }: { producers: readonly Producer[] }) {
  if (producers.length === 0) {
    return <p className="label">No one is known. Kafka clients leave no name with what they write.</p>;
  }
  return (
    <ul aria-label="Made by">
      {producers.map(({ kind, name }) => (
        <li key={`${kind} ${name}`} className="flex flex-wrap justify-between gap-x-4 border-b border-rule py-1.5">
          <span className="data break-all">{name}</span>
          <span className="label">{MADE[kind] ?? kind}</span>
        </li>
      ))}
    </ul>
  );
}

export function ReadBy({ consumers }: { consumers: readonly Consumer[] }) {
  if (consumers.length === 0) return <p className="label">No one was seen to read it.</p>;
  return (
    <ul aria-label="Read by">
      {consumers.map((each) => (
        <li key={`${each.kind} ${each.name}`} className="border-b border-rule py-1.5">
          <div className="flex flex-wrap justify-between gap-x-4">
            <ConsumerLink consumer={each} />
            <span className="label">{facts(each)}</span>
          </div>
          {(each.fields ?? []).length > 0 && <p className="label break-words">needs {each.fields?.join(", ")}</p>}
          {(each.through ?? []).length > 0 && <p className="label break-words">by way of {each.through?.join(", ")}</p>}
        </li>
      ))}
    </ul>
  );
}

export function ConsumerLink({ consumer: { kind, name } }: { consumer: Pick<Consumer, "kind" | "name"> }) {
  return kind === "group" ? (
    <Link to="/groups/$group" params={{ group: name }} className="data link break-all">
      {name}
    </Link>
  ) : (
    <Link to="/views/$view" params={{ view: name }} className="data link break-all">
      {name}
    </Link>
  );
}

function facts({ kind, members, lag }: Consumer): string {
  if (kind !== "group") return "view";
  return ["group", counted(members ?? 0, "member"), `lag ${lag ?? "unknown"}`].join(" · ");
}
