// Why the server did not do what it was asked: RFC 9457, in words; or an error of the schema registry.
import type { Json } from "./json";

/** The server's refusal. What stands beside `detail` (`line`, `column`, `near` …) is in `members`. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    readonly type: string,
    readonly title: string,
    readonly detail: string,
    readonly members: Readonly<Record<string, Json>> = {},
  ) {
    super(detail || title);
  }

  /** Reads `application/problem+json`, or an error of the schema registry; anything else becomes a problem that says so. */
  static from(status: number, body: Json | undefined): Problem {
    const members = body && typeof body === "object" && !Array.isArray(body) ? (body as Record<string, Json>) : {};
    const text = (name: string) => (typeof members[name] === "string" ? (members[name] as string) : "");
    return new Problem(
      status,
      text("type") || "about:blank",
      text("title") || `The server answered with ${status}`,
      text("detail") || text("message"),
      members,
    );
  }

  /** The name that was probably meant, if the server knows one. */
  get near(): string | undefined {
    return typeof this.members.near === "string" ? this.members.near : undefined;
  }

  /** The code of an error of the schema registry. */
  get registryCode(): number | undefined {
    return typeof this.members.error_code === "number" ? this.members.error_code : undefined;
  }

  /** Whether the same request can succeed later with nothing changed. */
  get isTransient(): boolean {
    return this.status === 503 || this.status === 408 || this.status === 429;
  }
}

/** No answer at all: the server is gone, or the network. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
  constructor(cause: unknown) {
    super("the server does not answer", { cause });
  }
}
