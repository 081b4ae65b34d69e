// What a view's answer says besides its rows. Followers are sent rows; this is asked now and then.
import { queryOptions } from "@tanstack/react-query";
import { path, request } from "~/api/client";

/** A value that is null because it cannot be computed. */
export interface RowError {
  view: string;
  /** What its group goes by. */
  key: Record<string, unknown>;
  column: string;
  reason: string;
}

/** What rows do not contain; 64-bit numbers as text. */
export interface LeftOut {
  undecodable: string;
  unreadable: string;
  /** Why events are left out, and where they are, if a view left them out. */
  reason?: string | null;
}

/** How far rows are behind the log, and what is not among them. */
export interface Freshness {
  as_of: string;
  /** Events that they do not contain yet, a 64-bit number as text. */
  lag: string;
  state: string;
  reason?: string | null;
  left_out?: LeftOut | null;
  errors?: RowError[];
}

/** Rows are behind if they are for longer than this: what has just come is no news. */
const BEHIND = 10_000;

/** Whether events wait, and have for a while. */
export function isBehind({ lag, as_of }: Freshness, now: number): boolean {
  return lag !== "0" && now - Date.parse(as_of) > BEHIND;
}

const EVERY = 5_000;

export const freshnessQuery = (view: string, enabled: boolean) =>
  queryOptions({
    queryKey: ["views", view, "freshness"],
    enabled,
    refetchInterval: EVERY,
    retry: false,
    queryFn: ({ signal }) =>
      request<Freshness>(path("/api/v1/views/{view}", { view }), { query: { limit: 1 }, signal }),
  });
