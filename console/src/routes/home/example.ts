// An event to send: the last one of a topic.
import { queryOptions } from "@tanstack/react-query";
import { path, request } from "../../api/client";
import type { Json } from "../../api/json";
import type { RecordView, TopicView } from "../../api/queries";

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
