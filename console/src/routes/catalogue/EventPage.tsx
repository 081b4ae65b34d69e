// One event: what it states and whose it is, its schema, an example to copy or send, and those who make and read it.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState, type ReactNode } from "react";
import { writeJson, type Json } from "~/api/json";
import { Problem } from "~/api/problem";
import { eventQuery, type EventView } from "~/api/queries";
import { Button } from "~/ui/Button";
import { CopyButton } from "~/ui/Command";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { counted } from "~/ui/number";
import { Page } from "~/ui/Page";
import { Panel } from "~/ui/Panel";
import { pretty } from "../registry/document";
import { formatName } from "../registry/formats";
import { SchemaText } from "../registry/SchemaText";
import { SendDialog } from "../topics/SendDialog";
import { formatWord } from "./CataloguePage";
import { MadeBy, ReadBy } from "./Participants";

const route = getRouteApi("/catalogue/$event");

export function EventPage() {
  const { event: name } = route.useParams();
  const event = useQuery(eventQuery(name));
  const [sending, setSending] = useState(false);
  const unknown = event.error instanceof Problem && event.error.status === 404;
  const found = event.data;
  return (
    <Page
      title={found?.topic ?? name}
      mono
      over={
        <Link to="/catalogue" className="link">
          Catalogue
        </Link>
      }
      actions={found?.has_topic && <Button onClick={() => setSending(true)}>Send an event</Button>}
      summary={found ? <Summary event={found} /> : "\u00a0"}
    >
      {found && !unknown ? (
        <>
          {sending && <SendDialog topic={found.topic} onClose={() => setSending(false)} />}
          <div className="grid grid-cols-[minmax(0,1fr)] gap-x-10 gap-y-9 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
            <div className="min-w-0 space-y-9">
              <Example event={found} />
              <Schema event={found} />
            </div>
            <div className="min-w-0 space-y-9">
              <Panel title="Made by" note="as far as it is known">
                <MadeBy producers={found.made_by} />
              </Panel>
              <Panel title="Read by" note={found.read_by.length > 0 && counted(found.read_by.length, "reader")}>
                <ReadBy consumers={found.read_by} />
              </Panel>
              <Panel title="Facts">
                <Facts event={found} />
              </Panel>
            </div>
          </div>
        </>
      ) : event.isPending ? (
        <Loading what="Reading the event …" />
      ) : (
        <ErrorState
          error={event.error}
          title={unknown ? "No such event is declared" : "This event cannot be shown"}
          onRetry={() => void event.refetch()}
        />
      )}
    </Page>
  );
}

function Summary({ event }: { event: EventView }) {
  return (
    <>
      {event.summary && <span className="block text-ink">{event.summary}</span>}
      <span className="figures">
        {[`team ${event.team}`, event.contact, formatWord(event.format)].filter(Boolean).join(" · ")}
      </span>
      {event.has_topic && (
        <>
          {" · "}
          <Link to="/topics/$topic" params={{ topic: event.topic }} className="link">
            topic
          </Link>
        </>
      )}
    </>
  );
}

function Example({ event }: { event: EventView }) {
  const example = (event.example ?? null) as Json;
  const text = useMemo(() => (example === null ? null : writeJson(example, 2)), [example]);
  return (
    <Panel
      title="Example"
      note="made from the schema"
      actions={text !== null && <CopyButton text={text} label="Copy the example" />}
    >
      {text === null ? (
        <p className="label">There is no example: nothing says what its data is like.</p>
      ) : (
        <SchemaText text={text} label="Example" />
      )}
    </Panel>
  );
}

function Schema({ event }: { event: EventView }) {
  const { schema } = event;
  const text = useMemo(() => (schema ? pretty(schema.text, schema.schema_type) : null), [schema]);
  return (
    <Panel
      title="Schema"
      note={schema && [formatName(schema.schema_type), schema.file].filter(Boolean).join(", ")}
      actions={text !== null && <CopyButton text={text} label="Copy the schema" />}
    >
      {text === null ? (
        <p className="label">It has none: what events hold is not checked.</p>
      ) : (
        <SchemaText text={text} label={`Schema of ${event.topic}`} />
      )}
    </Panel>
  );
}

function Facts({ event }: { event: EventView }) {
  return (
    <dl>
      <Fact name="Type">{event.event_type}</Fact>
      <Fact name="Source">{event.source}</Fact>
      {event.key && <Fact name="Key">{event.key}</Fact>}
      {event.time && <Fact name="Time">{event.time}</Fact>}
      <Fact name="Versions">
        {event.subject_versions.length === 0
          ? "none in the registry"
          : event.subject_versions.toReversed().map(({ version, id }) => (
              <Link
                key={version}
                to="/registry/$subject"
                params={{ subject: event.subject }}
                search={{ version }}
                title={`id ${id}`}
                className="link mr-3"
              >
                {version}
              </Link>
            ))}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap justify-between gap-x-4 border-b border-rule py-1.5">
      <dt className="label">{name}</dt>
      <dd className="data min-w-0 break-all">{children}</dd>
    </div>
  );
}
