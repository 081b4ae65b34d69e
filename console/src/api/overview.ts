// The overview as it moves, once a second, with the last two minutes of its rates.
import { useEffect, useState } from "react";
import { parseJson } from "./json";
import type { Problem } from "./problem";
import type { Overview } from "./queries";
import { openStream, type StreamState } from "./sse";

export interface OverviewStream {
  latest: Overview | null;
  /** Events per second, oldest first, at most `HISTORY` of them. */
  history: readonly number[];
  state: StreamState;
  problem?: Problem;
}

const HISTORY = 120;

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
          history: [...before.history, ...news.flatMap((each) => each.records_per_second ?? [])].slice(-HISTORY),
        }));
      },
      onState: (state, problem) => setStream((before) => ({ ...before, state, problem })),
    });
    return () => opened.close();
  }, []);
  return stream;
}

function read(data: string): Overview {
  return parseJson(data) as unknown as Overview;
}
