// An event to send: the last one of a topic. What it lacks of the contract's fields is taken from a sample, so that
// the topic accepts it.
import { queryOptions } from "@tanstack/react-query";
import { path, request } from "../../api/client";
import type { Json } from "../../api/json";
import type { RecordView, SampleView, TopicView } from "../../api/queries";

interface Example {
  data: Json;
  /** Whether a project defines the topic's events: then SQL knows it. */
  isDeclared: boolean;
}

type JsonObject = { [name: string]: Json };

export const exampleQuery = (topic: string) =>
  queryOptions({
    queryKey: ["example", topic],
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<Example> => {
      const { data } = await request<SampleView>(path("/api/v1/topics/{topic}/sample", { topic }), { signal });
      const sample = (data ?? null) as JsonObject | null;
      const last = await lastEvent(topic, signal);
      return { data: isObject(last) ? { ...sample, ...last } : sample, isDeclared: sample !== null };
    },
  });

async function lastEvent(topic: string, signal: AbortSignal): Promise<Json> {
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
}

function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
