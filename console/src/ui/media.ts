// Whether a media query holds, for what CSS alone cannot lay out.
import { useSyncExternalStore } from "react";

export function useMediaQuery(query: string): boolean {
  return useSyncExternalStore(
    (reader) => {
      const list = matchMedia(query);
      list.addEventListener("change", reader);
      return () => list.removeEventListener("change", reader);
    },
    () => matchMedia(query).matches,
  );
}
