// JSON without loss: `JSON.parse` silently rounds 64-bit integers and drops the zeros of `12.50`.
//
// Two readings of the same grammar (RFC 8259):
// - `parseJson`   for answers of the API: a number a double holds exactly stays a number, a larger whole number is a bigint.
// - `parseExact`  for the data of events: a number whose digits would change becomes `Digits`, which keeps them as sent.
//
// Nesting deeper than 512 is refused rather than left to overflow the stack.

/** A number as it was written, where a double would show it differently. */
export class Digits {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
  toJSON(): string {
    return this.text;
  }
}

export type Json = null | boolean | number | bigint | string | Digits | Json[] | { [key: string]: Json };

const DEPTH = 512;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** An escape, or a control character that must be one. */
const NOT_PLAIN = /[\\\u0000-\u001f]/;

/** Parses an answer of the API. Throws `SyntaxError` with the position. */
export function parseJson(text: string): Json {
  return new Reader(text, apiNumber).document();
}

/** Parses data whose digits must be shown as they were sent. Throws `SyntaxError` with the position. */
export function parseExact(text: string): Json {
  return new Reader(text, exactNumber).document();
}

/** Writes JSON with every digit kept; `indent` as in `JSON.stringify`. */
export function writeJson(value: Json, indent = 0, level = 0): string {
  if (value instanceof Digits || typeof value === "bigint") return value.toString();
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const array = Array.isArray(value);
  const parts = array
    ? value.map((item) => writeJson(item, indent, level + 1))
    : Object.entries(value).map(
        ([k, v]) => `${JSON.stringify(k)}:${indent ? " " : ""}${writeJson(v, indent, level + 1)}`,
      );
  const [open, close] = array ? "[]" : "{}";
  if (parts.length === 0) return `${open}${close}`;
  if (!indent) return `${open}${parts.join(",")}${close}`;
  const pad = " ".repeat(indent * (level + 1));
  return `${open}\n${pad}${parts.join(`,\n${pad}`)}\n${" ".repeat(indent * level)}${close}`;
}

function apiNumber(text: string): Json {
  const number = Number(text);
  if (Number.isSafeInteger(number) || /[.eE]/.test(text)) return number;
  return BigInt(text);
}

function exactNumber(text: string): Json {
  const number = Number(text);
  return String(number) === text ? number : new Digits(text);
}

class Reader {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly number: (text: string) => Json,
  ) {}

  document(): Json {
    const value = this.value(0);
    this.space();
    if (this.at < this.text.length) throw this.unexpected();
    return value;
  }

  private value(depth: number): Json {
    if (depth > DEPTH) throw new SyntaxError(`nested deeper than ${DEPTH} at ${this.at}`);
    this.space();
    switch (this.text[this.at]) {
      case "{":
        return this.object(depth);
      case "[":
        return this.array(depth);
      case '"':
        return this.string();
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      case "n":
        return this.word("null", null);
      default:
        return this.number(this.match(NUMBER));
    }
  }

  private object(depth: number): Json {
    const out: { [key: string]: Json } = {};
    this.at += 1;
    if (this.closes("}")) return out;
    for (;;) {
      this.space();
      const key = this.string();
      this.space();
      if (this.text[this.at] !== ":") throw this.unexpected();
      this.at += 1;
      const value = this.value(depth + 1);
      // `__proto__` in an event is a field like any other.
      if (key === "__proto__")
        Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
      else out[key] = value;
      if (this.closes("}")) return out;
      this.comma();
    }
  }

  private array(depth: number): Json {
    const out: Json[] = [];
    this.at += 1;
    if (this.closes("]")) return out;
    for (;;) {
      out.push(this.value(depth + 1));
      if (this.closes("]")) return out;
      this.comma();
    }
  }

  // Strings are found by `indexOf` and left to `JSON.parse` only where they hold escapes: 1 MiB of text must not cost a backtracking match.
  private string(): string {
    if (this.text[this.at] !== '"') throw this.unexpected();
    let end = this.at;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) throw new SyntaxError("JSON ends inside a string");
    } while (this.isEscaped(end));
    const literal = this.text.slice(this.at, end + 1);
    this.at = end + 1;
    return NOT_PLAIN.test(literal) ? (JSON.parse(literal) as string) : literal.slice(1, -1);
  }

  private isEscaped(at: number): boolean {
    let slashes = 0;
    while (this.text[at - 1 - slashes] === "\\") slashes += 1;
    return slashes % 2 === 1;
  }

  private word(word: string, value: boolean | null): Json {
    if (!this.text.startsWith(word, this.at)) throw this.unexpected();
    this.at += word.length;
    return value;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) throw this.unexpected();
    this.at += found[0].length;
    return found[0];
  }

  private closes(bracket: string): boolean {
    this.space();
    if (this.text[this.at] !== bracket) return false;
    this.at += 1;
    return true;
  }

  private comma(): void {
    if (this.text[this.at] !== ",") throw this.unexpected();
    this.at += 1;
  }

  private space(): void {
    if (this.text.charCodeAt(this.at) > 32) return;
    SPACE.lastIndex = this.at;
    this.at += SPACE.exec(this.text)?.[0].length ?? 0;
  }

  private unexpected(): SyntaxError {
    const found = this.text[this.at];
    return new SyntaxError(
      found === undefined ? "JSON ends too early" : `unexpected ${JSON.stringify(found)} at ${this.at}`,
    );
  }
}
