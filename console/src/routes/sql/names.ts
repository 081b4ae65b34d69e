// Names as SQL writes them.

/** A full name, quoted where SQL needs it. */
export function quoted(name: string): string {
  const at = name.indexOf(".");
  return at < 0 ? ident(name) : `${ident(name.slice(0, at))}.${ident(name.slice(at + 1))}`;
}

export function ident(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
