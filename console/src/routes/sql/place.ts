/** A place in a query, as the server counts: lines and characters from 1, characters as Unicode code points. */
export interface Place {
  line: number;
  column: number;
}

/** The range that a mark at `place` covers: the word that begins there, at least one character where there is one. */
export function placeOf(text: string, place: Place): { from: number; to: number } {
  const lines = text.split("\n");
  const index = Math.min(Math.max(place.line, 1), lines.length) - 1;
  const start = lines.slice(0, index).reduce((sum, line) => sum + line.length + 1, 0);
  const line = lines[index] ?? "";
  const before = [...line].slice(0, Math.max(place.column, 1) - 1).join("").length;
  const rest = line.slice(before);
  const word = /^(?:[\p{L}\p{N}_.]+|"[^"]*"|'[^']*'|\S)/u.exec(rest)?.[0] ?? "";
  const from = start + before;
  if (word !== "") return { from, to: from + word.length };
  // Behind the end: the last character is what can be marked.
  const end = start + line.trimEnd().length;
  return end > start ? { from: end - 1, to: end } : { from: Math.max(0, from - 1), to: from };
}
