// The form that `datetime-local` takes, by the reader's clock.

/** Of an instant in RFC 3339 form; nothing if it is none. Without one, of this moment. */
export function localTime(at: string | undefined): string {
  const date = at === undefined ? new Date() : new Date(at);
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
