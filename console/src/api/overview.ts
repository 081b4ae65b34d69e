// The overview as it moves, once a second, with the last two minutes of its rates.
import { useEffect, useState } from "react";
import { parseJson } from "./json";
import type { Problem } from "./problem";
import type { Overview } from "./queries";
import { openStream, type StreamState } from "./sse";

export interface TopicRate {
  name: string;
  /** Records kept, a 64-bit number as text. */
  records: string;
  records_per_second: number;
}

export interface PipelineRate {
  name: string;
  /** Events not taken in yet, a 64-bit number as text. */
  lag: string;
  /** Events taken in per second. */
  rate: number;
}

export interface LiveOverview extends Overview {
  records_per_second: number;
  bytes_per_second: number;
  topic_rates: TopicRate[];
  pipeline_rates: PipelineRate[];
}

export interface OverviewStream {
  latest: LiveOverview | null;
  /** Events per second, oldest first, at most `HISTORY` of them. */
  history: readonly number[];
  state: StreamState;
  problem?: Problem;
}

export const HISTORY = 120;

export function useOverviewStream(): OverviewStream {
  const [stream, setStream] = useState<OverviewStream>({ latest: null, history: [], state: "connecting" });
  useEffect(() => {
    const opened = openStream("/api/v1/overview/stream", {
      onEvents: (events) => {
        const news = events.filter((each) => each.event === "overview").map((each) => read(each.data));
        if (news.length === 0) return;
        setStream((before) => ({
          ...before,
          latest: news.at(-1) ?? before.latest,
          history: [...before.history, ...news.map((each) => each.records_per_second)].slice(-HISTORY),
        }));
      },
      onState: (state, problem) => setStream((before) => ({ ...before, state, problem })),
    });
    return () => opened.close();
  }, []);
  return stream;
}

function read(data: string): LiveOverview {
  return parseJson(data) as unknown as LiveOverview;
}
