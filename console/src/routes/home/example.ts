// An event to send, made from the last one of a topic: its moments become the present, so that it counts now.
import { queryOptions } from "@tanstack/react-query";
import { path, request } from "../../api/client";
import { writeJson, type Json } from "../../api/json";
import type { RecordView, TopicView } from "../../api/queries";

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const NOW = "\u0000now\u0000";
/** A longer example helps nobody. */
const LONGEST = 2_000;

export const exampleQuery = (topic: string) =>
  queryOptions({
    queryKey: ["example", topic],
    staleTime: Infinity,
    queryFn: async ({ signal }) => {
      const { partitions } = await request<TopicView>(path("/api/v1/topics/{topic}", { topic }), { signal });
      const filled = partitions.find((each) => each.high_watermark !== each.log_start);
      if (!filled) return null;
      const { records } = await request<{ records: RecordView[] }>(path("/api/v1/topics/{topic}/records", { topic }), {
        query: { partition: filled.partition, offset: -1, limit: 1 },
        exact: true,
        signal,
      });
      const last = records[0];
      return last?.value_encoding === "json" ? (last.value as Json) : null;
    },
  });

/** A line for a shell: single quotes inside the data end and begin the quoting again. */
export function postCommand(origin: string, topic: string, example: Json): string {
  const fits = example !== null && writeJson(example).length <= LONGEST;
  const data = writeJson(fits ? presentMoments(example) : { id: 1, at: NOW })
    .replaceAll("'", "'\\''")
    .replaceAll(JSON.stringify(NOW), `"'$(date -u +%FT%TZ)'"`);
  return `curl ${origin}/events/${topic} -H 'content-type: application/json' \\\n  -d '${data}'`;
}

function presentMoments(value: Json): Json {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const entries = Object.entries(value as { [key: string]: Json });
  return Object.fromEntries(
    entries.map(([key, each]) => [key, typeof each === "string" && MOMENT.test(each) ? NOW : each]),
  );
}
