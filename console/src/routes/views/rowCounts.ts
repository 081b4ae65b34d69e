// How many rows each view has: one query for all of them, now and then.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { request } from "~/api/client";
import { quoted } from "../sql/names";

const EVERY = 5_000;

export const rowCountsQuery = (views: readonly string[]) =>
  queryOptions({
    queryKey: ["row-counts", ...views],
    enabled: views.length > 0,
    refetchInterval: EVERY,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const parts = views.map(
        (view) => `SELECT '${view.replaceAll("'", "''")}' AS name, count(*) AS rows FROM ${quoted(view)}`,
      );
      const body = { query: parts.join("\nUNION ALL\n") };
      const answer = await request<{ rows: { name: string; rows: number | string }[] }>("/api/v1/sql", {
        body,
        signal,
      });
      return new Map(answer.rows.map(({ name, rows }) => [name, String(rows)]));
    },
  });
