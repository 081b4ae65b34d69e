// What a reader is looking at among the groups, as the address says it. Anything unreadable falls back to the default.

export interface GroupListSearch {
  /** What the name or a topic must hold. */
  q?: string;
  /** Kafka's word for the state. */
  state?: string;
  sort?: "members" | "lag";
}

export function parseListSearch(raw: Record<string, unknown>): GroupListSearch {
  const text = (name: string) => (raw[name] === undefined || raw[name] === "" ? undefined : String(raw[name]));
  const sort = (["members", "lag"] as const).find((each) => each === raw.sort);
  return dropAbsent({ q: text("q"), state: text("state"), sort });
}

export interface GroupSearch {
  /** How the partitions are ordered; without it by name. */
  sort?: "lag";
}

export function parseGroupSearch(raw: Record<string, unknown>): GroupSearch {
  return dropAbsent({ sort: raw.sort === "lag" ? ("lag" as const) : undefined });
}

function dropAbsent<T extends object>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;
}
