// What a reader is looking at of users, rules and quotas, as the address says it.

export type Tab = "rules" | "quotas";

export interface AccessSearch {
  tab?: Tab;
  /** What a name must hold. */
  q?: string;
}

export function parseAccessSearch(raw: Record<string, unknown>): AccessSearch {
  const tab = (["rules", "quotas"] as const).find((each) => each === raw.tab);
  const q = raw.q === undefined || raw.q === "" ? undefined : String(raw.q);
  return { ...(tab && { tab }), ...(q !== undefined && { q }) };
}
