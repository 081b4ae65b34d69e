/** Following views: the page's one `LiveView` for each, fed by its one stream of changes. */
import { useCallback, useMemo, useRef, useSyncExternalStore } from "react";
import { ChangeFeed } from "./changeFeed";
import { LiveView, type LiveState } from "./liveView";

const feed = new ChangeFeed();
const followed = new Map<string, LiveView>();

function liveView(name: string): LiveView {
  let view = followed.get(name);
  if (!view) {
    view = new LiveView(name, feed.follow);
    followed.set(name, view);
  }
  return view;
}

/** A view as it is, and from then on as it changes. */
export function useLiveView(name: string): LiveState {
  const view = useMemo(() => liveView(name), [name]);
  return useSyncExternalStore(view.subscribe, view.state);
}

/** Several views at once; the names are to stay the same while it is shown. */
export function useLiveViews(names: readonly string[]): readonly LiveState[] {
  const views = useRef<LiveView[] | null>(null);
  views.current ??= names.map(liveView);
  const shown = useRef<LiveState[]>([]);
  const subscribe = useCallback((reader: () => void) => {
    const ends = (views.current ?? []).map((view) => view.subscribe(reader));
    return () => ends.forEach((end) => end());
  }, []);
  const states = useCallback(() => {
    const next = (views.current ?? []).map((view) => view.state());
    if (next.some((state, index) => state !== shown.current[index])) shown.current = next;
    return shown.current;
  }, []);
  return useSyncExternalStore(subscribe, states);
}
