// What a reader is looking at among the schemas, as the address says it. Anything unreadable falls back to the default.

export interface SubjectListSearch {
  /** What the name must hold. */
  q?: string;
}

export function parseListSearch(raw: Record<string, unknown>): SubjectListSearch {
  return raw.q === undefined || raw.q === "" ? {} : { q: String(raw.q) };
}

export type Tab = "schema" | "compare" | "check" | "consumers" | "settings";

export interface SubjectSearch {
  tab?: Tab;
  /** The version that is shown, or the new one of two; without it the latest. */
  version?: number;
  /** The old one of two; without it the one before the new one. */
  from?: number;
}

export function parseSubjectSearch(raw: Record<string, unknown>): SubjectSearch {
  const number = (name: string) => (/^[1-9]\d{0,9}$/.test(String(raw[name])) ? Number(raw[name]) : undefined);
  const tab = (["compare", "check", "consumers", "settings"] as const).find((each) => each === raw.tab);
  const search = { tab, version: number("version"), from: number("from") };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}
