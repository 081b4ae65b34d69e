// The live end of a topic. The list holds still while it is paused, scrolled, walked by keys, or a message is open.
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { path } from "../../api/client";
import { postCommand } from "../../api/post-command";
import type { TopicView } from "../../api/queries";
import { Button } from "../../ui/Button";
import { Command } from "../../ui/Command";
import { EmptyState } from "../../ui/EmptyState";
import { ErrorState } from "../../ui/ErrorState";
import { grouped } from "../../ui/number";
import type { Matcher } from "./matcher";
import { placeOf } from "./message";
import { MessageTable } from "./MessageTable";
import { ROWS, Tail, type TailState } from "./tail";

interface TailListProps {
  topic: TopicView;
  filter: Matcher;
  filtered: boolean;
  open: string | undefined;
  onOpen: (place: string | undefined) => void;
}

export function TailList({ topic, filter, filtered, open, onOpen }: TailListProps) {
  const [tail] = useState(() => new Tail(path("/api/v1/topics/{topic}/tail", { topic: topic.name }), filter));
  const state = useSyncExternalStore(tail.subscribe, tail.state);
  const [paused, setPaused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [walked, setWalked] = useState(false);
  const list = useRef<HTMLDivElement>(null);

  useEffect(() => {
    tail.open();
    return () => tail.close();
  }, [tail]);
  const held = paused || scrolled || walked || open !== undefined;
  useEffect(() => tail.hold(held), [tail, held]);

  const resume = () => {
    setPaused(false);
    setWalked(false);
    setScrolled(false);
    if (open !== undefined) onOpen(undefined);
    list.current?.querySelector("[role=grid]")?.parentElement?.scrollTo({ top: 0 });
  };

  return (
    <div ref={list} className="flex min-h-0 flex-1 flex-col">
      <div className="mb-2 flex min-h-8 flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <TailLine state={state} held={held} filtered={filtered} />
        <Button kind={held ? "primary" : "quiet"} className="min-w-24" onClick={held ? resume : () => setPaused(true)}>
          {held ? "Resume" : "Pause"}
        </Button>
      </div>
      {state.problem && (
        <ErrorState error={state.problem} title="The tail has ended" onRetry={() => location.reload()} />
      )}
      {state.rows.length === 0 && !state.problem ? (
        <Waiting topic={topic.name} filtered={filtered} received={state.received} />
      ) : (
        <MessageTable
          rows={state.rows}
          rowKey={(row) => String(row.sequence)}
          entryOf={(row) => row.entry}
          selected={selectedKey(state, open)}
          onOpen={(row) => onOpen(placeOf(row.entry))}
          onScroll={(top) => setScrolled(top > 2)}
          onFocusRow={setWalked}
        />
      )}
    </div>
  );
}

function TailLine({ state, held, filtered }: { state: TailState; held: boolean; filtered: boolean }) {
  const live = state.stream === "open";
  const words = held ? "Paused" : live ? "Live" : state.stream === "lost" ? "Trying again" : "Connecting";
  return (
    <p className="label figures flex flex-wrap items-center gap-x-2">
      <span
        aria-hidden
        className={`size-2 rounded-full ${live && !held ? "bg-accent" : "border border-rule-strong"}`}
      />
      <span role="status" className="font-medium text-ink">
        {words}
      </span>
      <span data-testid="tail-count">
        {held ? `${grouped(state.unseen)} new` : `${grouped(state.received)} received`}
        {filtered && !held && `, ${grouped(state.rows.length)}${state.rows.length === ROWS ? " newest" : ""} match`}
        {!filtered && !held && state.received > ROWS && `, the newest ${grouped(ROWS)} kept here`}
      </span>
      {state.gaps > 0 && <span className="text-warn">some were dropped by retention before they could be read</span>}
    </p>
  );
}

function Waiting({ topic, filtered, received }: { topic: string; filtered: boolean; received: number }) {
  if (filtered) {
    return (
      <EmptyState title={received === 0 ? "Waiting for the next event." : "No event so far has matched."}>
        <p>Only events that come from now on are looked at. To search those that are stored, read “Newest first”.</p>
      </EmptyState>
    );
  }
  if (topic.endsWith(".dead-letter")) {
    return (
      <EmptyState title="Waiting for the next event that its view cannot take in.">
        <p>Those that there are already, with the reason in their headers, are under “Newest first”.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="Waiting for the next event.">
      <p>It appears here the moment it is stored. To see what is there already, read “Newest first”, or send one:</p>
      <Command label="command that sends an event" text={postCommand(location.origin, topic)} />
    </EmptyState>
  );
}

function selectedKey(state: TailState, open: string | undefined): string | undefined {
  if (open === undefined) return undefined;
  const row = state.rows.find((each) => placeOf(each.entry) === open);
  return row && String(row.sequence);
}
