// Names for the editor to complete: topics, views and tables by team, and their columns.
import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { request, type Schemas } from "~/api/client";
import { topicsQuery, viewsQuery } from "~/api/queries";
import type { Row } from "~/charts/columns";
import { quoted } from "./names";

/** `team → name → columns`. */
export type Names = Record<string, Record<string, string[]>>;

const ENVELOPE = [
  "_id",
  "_type",
  "_source",
  "_subject",
  "_time",
  "_key",
  "_partition",
  "_offset",
  "_timestamp",
  "_headers",
];

export function useNames() {
  const topics = useQuery(topicsQuery);
  const views = useQuery(viewsQuery);
  const tables = tablesOf(views.data ?? [], topics.data ?? []);
  const fields = useQuery({
    queryKey: ["sql-fields", topics.data?.map((topic) => topic.name), tables],
    enabled: topics.data !== undefined && views.data !== undefined,
    staleTime: 60_000,
    queryFn: () => fieldsOf(topics.data?.map((topic) => topic.name) ?? [], tables),
  });
  // Columns are learnt once; the lists are read again every few seconds and seldom say anything new.
  const key = JSON.stringify([
    topics.data?.map((topic) => topic.name),
    tables,
    views.data?.map((view) => [view.name, view.columns]),
  ]);
  const latest = useRef<{ key: string; fields: unknown; names: Names } | null>(null);
  if (latest.current?.key !== key || latest.current.fields !== fields.data) {
    const names = namesOf(topics.data ?? [], tables, views.data ?? [], fields.data ?? new Map());
    latest.current = { key, fields: fields.data, names };
  }
  const { names } = latest.current;
  return { names, topics: topics.data ?? [], views: views.data ?? [], isPending: topics.isPending || views.isPending };
}

function namesOf(
  topics: readonly Schemas["TopicLine"][],
  tables: readonly string[],
  views: readonly Schemas["ViewLine"][],
  fields: ReadonlyMap<string, string[]>,
): Names {
  const names: Names = {};
  for (const topic of topics) put(names, topic.name, [...(fields.get(topic.name) ?? []), ...ENVELOPE]);
  for (const table of tables) put(names, table, fields.get(table) ?? []);
  for (const view of views) {
    put(
      names,
      view.name,
      view.columns.map((column) => column.name),
    );
  }
  return names;
}

/** What views read and is neither a topic nor a view is a table. */
function tablesOf(views: readonly Schemas["ViewLine"][], topics: readonly Schemas["TopicLine"][]): string[] {
  const others = new Set([...views, ...topics].map((each) => each.name));
  return [...new Set(views.flatMap((view) => view.depends_on))].filter((name) => !others.has(name)).sort();
}

function put(names: Names, full: string, columns: string[]): void {
  const at = full.indexOf(".");
  if (at < 0) return;
  (names[full.slice(0, at)] ??= {})[full.slice(at + 1)] = columns;
}

/** Columns of topics and tables, from one row of each; what has no row yet has no columns to offer. */
async function fieldsOf(topics: readonly string[], tables: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  const learn = async (name: string, row: () => Promise<Row | undefined>) => {
    try {
      found.set(name, Object.keys((await row()) ?? {}));
    } catch {
      // Completion is a convenience: what cannot be read is not offered.
    }
  };
  await Promise.all([
    ...topics.map((name) => learn(name, () => newestValue(name))),
    ...tables.map((name) => learn(name, () => firstRow(name))),
  ]);
  return found;
}

async function newestValue(topic: string): Promise<Row | undefined> {
  const to = `/api/v1/topics/${encodeURIComponent(topic)}/records`;
  const { records } = await request<Schemas["Records"]>(to, { query: { limit: 1 } });
  const value: unknown = records[0]?.value;
  return value && typeof value === "object" && !Array.isArray(value) ? (value as Row) : undefined;
}

async function firstRow(table: string): Promise<Row | undefined> {
  const query = `SELECT * FROM ${quoted(table)} LIMIT 1`;
  const { rows } = await request<{ rows: Row[] }>("/api/v1/sql", { body: { query } });
  return rows[0];
}
