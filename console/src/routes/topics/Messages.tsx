// A topic's messages: as they come, or from a place on; narrowed by a filter; one of them opened beside the list.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import type { TopicView } from "../../api/queries";
import { ErrorState } from "../../ui/ErrorState";
import { BrowseList } from "./BrowseList";
import { matcher, type Matcher } from "./matcher";
import { MessageDetail } from "./MessageDetail";
import { Place } from "./Place";
import { kindOf, type TopicSearch } from "./search";
import { TailList } from "./TailList";

export function Messages({ topic }: { topic: TopicView }) {
  const search = useSearch({ from: "/topics/$topic" });
  const navigate = useNavigate({ from: "/topics/$topic" });
  const change = (next: Partial<TopicSearch>, replace = false) =>
    void navigate({ search: (now) => ({ ...now, ...next }), replace, resetScroll: false });

  const kind = kindOf(search);
  const filter = useMemo((): Matcher | Error => {
    try {
      return matcher(search.q, kind, search.partition);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }, [search.q, kind, search.partition]);
  const open = search.message;
  const list = { topic, open, onOpen: (message: string | undefined) => change({ message }, open !== undefined) };

  return (
    <div className="flex min-h-[26rem] flex-1 flex-col md:h-[calc(100dvh-14rem)] md:flex-none">
      <Place
        topic={topic}
        search={search}
        change={change}
        problem={filter instanceof Error ? filter.message : undefined}
      />
      <div className={`mt-3 grid min-h-0 flex-1 gap-x-8 ${open ? "lg:grid-cols-[minmax(0,1fr)_minmax(0,28rem)]" : ""}`}>
        <div className={`flex min-h-0 min-w-0 flex-col ${open ? "max-lg:hidden" : ""}`}>
          {filter instanceof Error ? (
            <ErrorState
              error={filter}
              title={kind === "fields" ? "This is no condition" : "This is no regular expression"}
            />
          ) : search.from === undefined ? (
            <TailList
              key={`${topic.id} ${search.q} ${kind} ${search.partition}`}
              filter={filter}
              filtered={!!search.q}
              {...list}
            />
          ) : (
            <BrowseList filter={filter} filtered={!!search.q} search={search} {...list} />
          )}
        </div>
        {open && <MessageDetail topic={topic.name} place={open} onClose={() => change({ message: undefined }, true)} />}
      </div>
    </div>
  );
}
