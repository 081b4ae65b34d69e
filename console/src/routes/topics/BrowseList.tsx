// Stored messages, a page at a time.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { path, request } from "../../api/client";
import type { TopicView } from "../../api/queries";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { ErrorState } from "../../ui/ErrorState";
import { Loading } from "../../ui/Loading";
import { counted, grouped } from "../../ui/number";
import { Browse, fetchRecords, type Start } from "./browse";
import { ExportDialog } from "./ExportDialog";
import type { Matcher } from "./matcher";
import { isUnreadable, placeOf } from "./message";
import { MessageTable } from "./MessageTable";
import type { TopicSearch } from "./search";

interface BrowseListProps {
  topic: TopicView;
  filter: Matcher;
  filtered: boolean;
  search: TopicSearch;
  open: string | undefined;
  onOpen: (place: string | undefined) => void;
}

/** More rows than this are not kept in a page; narrowing the search is the way on. */
const MOST = 10_000;

export function BrowseList({ topic, filter, filtered, search, open, onOpen }: BrowseListProps) {
  const { from, partition, offset, at, q, regex, fields } = search;
  const key = JSON.stringify([topic.id, from, partition, offset, at, q, regex, fields]);
  // One walk through the log; its pages belong together, so they are kept under one key and never refetched one by one.
  const walk = useMemo(() => {
    let started: Browse | undefined;
    return {
      next: async (first: boolean) => {
        if (first || !started) {
          // Where the partitions end is fetched again: what the page knows of the topic may be seconds old.
          const { partitions } = await request<TopicView>(path("/api/v1/topics/{topic}", { topic: topic.name }));
          const chosen = partitions.filter((each) => partition === undefined || each.partition === partition);
          started = new Browse(fetchRecords(topic.name), startOf(search), filter, chosen);
        }
        return started.next();
      },
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `key` holds every value this depends on
  }, [key]);
  const pages = useInfiniteQuery({
    queryKey: ["messages", key],
    queryFn: ({ pageParam }) => walk.next(pageParam === 0),
    initialPageParam: 0,
    getNextPageParam: (last, all) => (last.done ? undefined : all.length),
    staleTime: Infinity,
    gcTime: 0,
  });
  const [exporting, setExporting] = useState(false);
  const entries = useMemo(() => pages.data?.pages.flatMap((page) => page.entries) ?? [], [pages.data]);
  const ranges = entries.filter(isUnreadable).length;
  const messages = entries.length - ranges;
  const scanned = pages.data?.pages.reduce((sum, page) => sum + page.scanned, 0) ?? 0;

  if (pages.isPending) return <Loading what="Reading messages …" />;
  if (pages.isError && entries.length === 0) {
    return <ErrorState error={pages.error} title="The messages cannot be read" onRetry={() => void pages.refetch()} />;
  }
  const more = pages.hasNextPage && entries.length < MOST;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="mb-2 flex min-h-8 flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <p role="status" className="label figures">
          {filtered ? `${grouped(messages)} of ${grouped(scanned)} looked at match` : counted(messages, "message")}
          {ranges > 0 && `, ${counted(ranges, "range")} that cannot be read`}
          {!pages.hasNextPage && (from === "latest" ? ", back to the first" : ", up to the last")}
          {entries.length >= MOST && "; narrow the search to see others"}
        </p>
        <div className="flex gap-2">
          {more && (
            <Button disabled={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
              {pages.isFetchingNextPage ? "Reading …" : from === "latest" ? "Read older" : "Read more"}
            </Button>
          )}
          <Button kind="bare" onClick={() => setExporting(true)}>
            Export
          </Button>
          <Button kind="bare" onClick={() => void pages.refetch()}>
            Read again
          </Button>
        </div>
      </div>
      {exporting && (
        <ExportDialog
          topic={topic.name}
          partition={partition}
          start={startOf(search)}
          filter={filter}
          filtered={filtered}
          onClose={() => setExporting(false)}
        />
      )}
      {pages.isError && <ErrorState error={pages.error} onRetry={() => void pages.fetchNextPage()} />}
      {entries.length === 0 ? (
        <EmptyState title={filtered ? "Nothing matches so far." : "Nothing is stored from there on."}>
          <p>
            {filtered && pages.hasNextPage
              ? "Read more to look at further messages, or change what is looked for."
              : "Choose another place to begin, or read “Live” to wait for what comes."}
          </p>
        </EmptyState>
      ) : (
        <MessageTable
          rows={entries}
          rowKey={placeOf}
          entryOf={(entry) => entry}
          selected={open}
          onOpen={(entry) => onOpen(placeOf(entry))}
        />
      )}
    </div>
  );
}

function startOf({ from, offset, at }: TopicSearch): Start {
  if (from === "offset") return { from, offset: offset ?? "0" };
  if (from === "time") return { from, at: at ?? new Date().toISOString() };
  return { from: from === "earliest" ? "earliest" : "latest" };
}
