// One message, whole: its place, its event's attributes, its key, its headers and its value.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { path, request, type Schemas } from "../../api/client";
import type { RecordView } from "../../api/queries";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { ErrorState } from "../../ui/ErrorState";
import { Loading } from "../../ui/Loading";
import { Time } from "../../ui/Time";
import { HexView } from "./HexView";
import { rangeOf } from "./message";
import { ResendDialog } from "./ResendDialog";
import { ValueView } from "./ValueView";

interface MessageDetailProps {
  topic: string;
  /** `partition:offset`. */
  place: string;
  onClose: () => void;
}

/** Narrower than `lg`, where the message takes the place of the list. */
const BEHIND = "(width < 72rem)";

const messageQuery = (topic: string, place: string) =>
  queryOptions({
    queryKey: ["message", topic, place],
    // A stored record never changes; a page of large ones must not pile up either.
    staleTime: Infinity,
    gcTime: 10_000,
    queryFn: async ({ signal }) => {
      const [partition = "", offset = ""] = place.split(":");
      const { records, unreadable } = await request<Schemas["Records"]>(
        path("/api/v1/topics/{topic}/records", { topic }),
        {
          query: { partition, offset, limit: 1 },
          exact: true,
          signal,
        },
      );
      const record = records.find((each) => each.offset === offset) ?? null;
      const range = unreadable.find(
        ({ from, next }) => BigInt(from) <= BigInt(offset) && BigInt(offset) < BigInt(next),
      );
      return { record, range };
    },
  });

export function MessageDetail({ topic, place, onClose }: MessageDetailProps) {
  const { data, error, isPending, refetch } = useQuery(messageQuery(topic, place));
  const [partition, offset] = place.split(":");
  const [resending, setResending] = useState(false);
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Where the message hides the list, the focus would be lost with the row that was opened.
    if (matchMedia(BEHIND).matches) close.current?.focus();
  }, []);
  return (
    <section
      aria-label="Message"
      className="flex min-h-0 min-w-0 flex-col border-t border-ink/70 lg:border-t-0 lg:border-l lg:border-rule lg:pl-6"
      onKeyDown={(event) => event.key === "Escape" && !resending && onClose()}
    >
      <header className="flex items-center justify-between gap-3 py-2 lg:pt-0">
        <h2 className="figures font-semibold">
          Partition {partition}, offset {offset}
        </h2>
        <span className="flex gap-1 lg:-mr-2.5">
          {data?.record && (
            <Button kind="bare" onClick={() => setResending(true)}>
              Send again
            </Button>
          )}
          <Button ref={close} kind="bare" onClick={onClose}>
            Close
          </Button>
        </span>
      </header>
      {resending && <ResendDialog topic={topic} place={place} onClose={() => setResending(false)} />}
      <div className="min-h-0 flex-1 space-y-5 overflow-y-auto pr-1 pb-4">
        {isPending ? (
          <Loading what="Reading the message …" />
        ) : error ? (
          <ErrorState error={error} title="The message cannot be read" onRetry={() => void refetch()} />
        ) : data.range ? (
          <ErrorState error={new Error(data.range.reason)} title={`Partition ${partition}, ${rangeOf(data.range)}`} />
        ) : data.record === null ? (
          <EmptyState title="This message is no longer there.">
            <p>Retention or compaction has removed it since it was listed.</p>
          </EmptyState>
        ) : (
          <Parts record={data.record} name={`${topic}-${partition}-${offset}`} />
        )}
      </div>
    </section>
  );
}

function Parts({ record, name }: { record: RecordView; name: string }) {
  const event = Object.entries((record.event ?? {}) as Record<string, unknown>);
  return (
    <>
      <Part title="Time">
        <Time at={record.timestamp} form="full" />
      </Part>
      <Part title="Key">
        {record.key == null ? (
          <span className="text-ink-soft">none: partitions take turns</span>
        ) : record.key_encoding === "base64" ? (
          <HexView base64={record.key} label="Key" />
        ) : (
          <code className="data break-all whitespace-pre-wrap">{record.key}</code>
        )}
      </Part>
      <ValueView record={record} name={name} />
      {(event.length > 0 || record.event_error) && (
        <Part title="Event">
          {record.event_error && <p className="text-bad">{record.event_error}</p>}
          <Pairs pairs={event.map(([key, value]) => [key, String(value)])} />
        </Part>
      )}
      <Part title={`Headers (${record.headers.length})`}>
        {record.headers.length === 0 ? (
          <span className="text-ink-soft">none</span>
        ) : (
          <Pairs
            pairs={record.headers.map(({ key, value, encoding }) => [
              key,
              value == null ? (
                <em className="text-ink-soft">null</em>
              ) : encoding === "base64" ? (
                `base64 ${value}`
              ) : (
                value
              ),
            ])}
          />
        )}
      </Part>
    </>
  );
}

export function Part({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <div>
      <div className="mb-1 flex items-center justify-between gap-3">
        <h3 className="label">{title}</h3>
        {actions}
      </div>
      {children}
    </div>
  );
}

function Pairs({ pairs }: { pairs: [string, ReactNode][] }) {
  return (
    <dl className="data grid grid-cols-[minmax(5rem,auto)_minmax(0,1fr)] gap-x-4">
      {pairs.map(([key, value], index) => (
        <div key={index} className="col-span-2 grid grid-cols-subgrid border-b border-rule py-1">
          <dt className="break-all text-ink-soft">{key}</dt>
          <dd className="break-all whitespace-pre-wrap">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
