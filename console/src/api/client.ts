// Requests to the server the page came from: lossless JSON in, a `Problem` or `Unreachable` thrown.
import { reportLost, reportUp } from "./connection";
import { parseExact, parseJson, writeJson, type Json } from "./json";
import { Problem, Unreachable } from "./problem";
import type { components } from "./schema";

export type Schemas = components["schemas"];
export type Query = Record<string, string | number | boolean | undefined>;

export interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query;
  body?: Json;
  accept?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Keep numbers as they were written, for the data of events. */
  exact?: boolean;
}

/** `/api/v1/topics/{topic}` with its names filled in and escaped. */
export function path(template: string, names: Record<string, string> = {}): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ""));
}

export function withQuery(to: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.append(key, String(value));
  const text = search.toString();
  return text ? `${to}${to.includes("?") ? "&" : "?"}${text}` : to;
}

/** Asks for JSON. The caller names the type that the OpenAPI document gives the answer. */
export async function request<T>(to: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(to, options);
  const text = await bodyOf(response);
  return (text === "" ? undefined : (options.exact ? parseExact : parseJson)(text)) as T;
}

/** Asks for text of another kind, such as `text/csv`. */
export async function requestText(to: string, options: RequestOptions = {}): Promise<string> {
  return bodyOf(await send(to, options));
}

/** Sends, and throws unless the answer is a success. */
export async function send(to: string, options: RequestOptions = {}): Promise<Response> {
  const { method = options.body === undefined ? "GET" : "POST", query, body, accept = "application/json" } = options;
  let response: Response;
  try {
    response = await fetch(withQuery(to, query), {
      method,
      headers: { accept, ...(body === undefined ? {} : { "content-type": "application/json" }), ...options.headers },
      body: body === undefined ? undefined : writeJson(body),
      signal: options.signal,
      cache: "no-store",
    });
  } catch (cause) {
    throw unreachable(cause, options.signal);
  }
  if (response.status === 502 || response.status === 504) throw unreachable(response.status);
  reportUp();
  if (!response.ok) throw Problem.from(response.status, await problemBody(response));
  return response;
}

async function bodyOf(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    throw unreachable(cause);
  }
}

async function problemBody(response: Response): Promise<Json | undefined> {
  try {
    return parseJson(await response.text());
  } catch {
    return undefined;
  }
}

function unreachable(cause: unknown, signal?: AbortSignal): unknown {
  // What the page itself gave up says nothing about the server.
  if (signal?.aborted || (cause instanceof DOMException && cause.name === "AbortError")) return cause;
  reportLost();
  return new Unreachable(cause);
}
