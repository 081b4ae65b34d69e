// What a reader is looking for in the catalogue, as the address says it.

export interface CatalogueSearch {
  /** Words that an event has all of. */
  search?: string;
}

export function parseCatalogueSearch(raw: Record<string, unknown>): CatalogueSearch {
  return raw.search === undefined || raw.search === "" ? {} : { search: String(raw.search) };
}
