// What every test of the console stands on: the real binary on free ports with a project folder, and Chromium.
//
//   FACTUM_BIN        the binary; else target/{release,debug}/factum, or those of CARGO_TARGET_DIR
//   FACTUM_CHROMIUM   the browser; else /usr/bin/chromium
//   FACTUM_CONSOLE    a folder, such as `dist`: its build is tested instead of the one that the binary embeds
//
// Nothing sleeps to become true: `until` asks again until it is, or fails with what it saw last.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const ROOT = resolve(import.meta.dirname, "../..");

export const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** A running Factum. `url` serves the console and the API. */
export class Factum {
  private child: ChildProcess | undefined;
  private output = "";

  private constructor(
    readonly project: string,
    readonly data: string,
    private readonly http: number,
    private readonly kafka: number,
    private readonly front: { server: Server; port: number } | undefined,
    private readonly flags: readonly string[],
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  /**
   * Starts with a copy of `project` (a folder, as seen from the repository), which a test may edit; with `null` without
   * one. `flags` go to `factum dev`: with `--generate` the project's own orders come. `environment` has settings.
   */
  static async start({
    project = "examples/movies" as string | null,
    flags = [] as string[],
    environment = {} as Record<string, string>,
  } = {}): Promise<Factum> {
    const home = mkdtempSync(join(tmpdir(), "factum-console-"));
    if (project !== null) cpSync(resolve(ROOT, project), join(home, "project"), { recursive: true });
    const [http, kafka] = [await freePort(), await freePort()];
    const front = process.env.FACTUM_CONSOLE ? await serveBuild(http, process.env.FACTUM_CONSOLE) : undefined;
    const factum = new Factum(join(home, "project"), join(home, "data"), http, kafka, front, flags, environment);
    await factum.up();
    return factum;
  }

  /** The address of the API and, unless `FACTUM_CONSOLE` is set, of the console. */
  get api(): string {
    return `http://127.0.0.1:${this.http}`;
  }

  /** Where Kafka clients connect. */
  get kafkaAddress(): string {
    return `127.0.0.1:${this.kafka}`;
  }

  get url(): string {
    return `http://127.0.0.1:${this.front?.port ?? this.http}`;
  }

  /** Starts it on the same ports with the same data. */
  async up(): Promise<void> {
    const at = (port: number) => `127.0.0.1:${port}`;
    const project = existsSync(this.project) ? [this.project] : [];
    this.child = spawn(
      binary(),
      ["dev", ...project, "--data-dir", this.data, "--http", at(this.http), "--kafka", at(this.kafka), ...this.flags],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...this.environment } },
    );
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-20_000)));
    }
    const child = this.child;
    await until("factum is ready", async () => {
      if (child.exitCode !== null) throw new Fatal(`factum ended with ${child.exitCode}:\n${this.output}`);
      return (await fetch(`${this.api}/health/ready`)).ok;
    });
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await gone;
  }

  /** Damages the records of a topic that hold `text`, on disk, and starts again. */
  async damage(topic: string, text: string): Promise<void> {
    await this.kill();
    let found = 0;
    for (const partition of readdirSync(join(this.data, "topics", topic), { withFileTypes: true })) {
      if (!partition.isDirectory()) continue;
      const file = join(this.data, "topics", topic, partition.name, "00000000000000000000.log");
      const bytes = readFileSync(file);
      for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
        bytes[at]! ^= 0xff;
        found += 1;
      }
      writeFileSync(file, bytes);
    }
    if (found === 0) throw new Error(`no record of ${topic} holds ${text}`);
    await this.up();
  }

  async stop(): Promise<void> {
    await this.kill();
    this.front?.server.closeAllConnections();
    this.front?.server.close();
    rmSync(resolve(this.data, ".."), { recursive: true, force: true });
  }

  /** Orders as `factum generate orders` makes them, all sent when this returns. */
  async generate(count: number, from: Date, to: Date): Promise<void> {
    const span = ["--from", from.toISOString(), "--to", to.toISOString()];
    await promisify(execFile)(binary(), ["--server", this.api, "generate", "orders", "--count", `${count}`, ...span]);
  }

  /** Sends events, each one document of JSON; gives the answer. */
  async post(topic: string, ...events: unknown[]): Promise<{ offsets: { partition: number; offset: string }[] }> {
    const body = events.map((event) => JSON.stringify(event)).join("\n");
    return this.postRaw(topic, body, "application/x-ndjson");
  }

  /** Sends a body; a topic that the project does not name is created first, since its first use does not create it. */
  async postRaw(
    topic: string,
    body: string | Uint8Array<ArrayBuffer>,
    type: string,
    headers: Record<string, string> = {},
  ) {
    const send = () =>
      fetch(`${this.api}/events/${topic}`, {
        method: "POST",
        headers: { "content-type": type, ...headers },
        body,
      });
    let answer = await send();
    if (answer.status === 404) {
      await this.createTopic(topic);
      answer = await send();
    }
    if (!answer.ok) throw new Error(`POST /events/${topic}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as { offsets: { partition: number; offset: string }[] };
  }

  private async createTopic(name: string): Promise<void> {
    const answer = await fetch(`${this.api}/api/v1/topics`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name }),
    });
    // Who sends at the same time may have been first.
    if (!answer.ok && answer.status !== 409) throw new Error(`create ${name}: ${answer.status} ${await answer.text()}`);
  }
}

export async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.FACTUM_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--enable-precise-memory-info"],
  });
}

export interface Visit extends BrowserContextOptions {
  theme?: Theme;
}

/** A page in a fresh context. An exception in the page fails the test that closes it with `closePage`. */
export async function openPage(
  browser: Browser,
  url: string,
  { theme = "light", ...options }: Visit = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: theme,
    reducedMotion: "reduce",
    ...options,
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => exceptionsOf(page).push(error));
  await page.goto(url);
  return page;
}

const exceptions = new WeakMap<Page, Error[]>();

function exceptionsOf(page: Page): Error[] {
  const list = exceptions.get(page) ?? [];
  exceptions.set(page, list);
  return list;
}

/** Closes the page's context; throws what the page threw. */
export async function closePage(page: Page): Promise<void> {
  await page.context().close();
  const [first] = exceptionsOf(page);
  if (first) throw first;
}

/** Fails with a readable list unless axe finds nothing (WCAG 2.2 A and AA, and best practices). */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  if (violations.length === 0) return;
  const lines = violations.flatMap((each) => [
    `${each.id}: ${each.help}`,
    ...each.nodes
      .slice(0, 5)
      .map((node) => `    ${node.html.slice(0, 160)}\n      ${node.failureSummary?.split("\n")[1] ?? ""}`),
  ]);
  throw new Error(`axe at ${page.url()}:\n${lines.join("\n")}`);
}

/** How far the page is wider than its window: 0 where nothing sticks out. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

class Fatal extends Error {}

/** Asks until the answer is true; an exception counts as not yet. Fails after `seconds` with what was seen last. */
export async function until(what: string, ask: () => Promise<unknown> | unknown, seconds = 20): Promise<void> {
  const end = Date.now() + seconds * 1_000;
  let last: unknown;
  while (Date.now() < end) {
    try {
      last = await ask();
      if (last) return;
    } catch (error) {
      if (error instanceof Fatal) throw error;
      last = error;
    }
    await wait(50);
  }
  throw new Error(`not within ${seconds} s: ${what} (last: ${String(last)})`);
}

/** The binary that the tests run. */
export function binary(): string {
  const targets = [process.env.CARGO_TARGET_DIR, join(ROOT, "target")].filter((each) => each !== undefined);
  const candidates = [
    process.env.FACTUM_BIN,
    ...targets.flatMap((target) => [join(target, "release/factum"), join(target, "debug/factum")]),
  ];
  const found = candidates.find((each) => each !== undefined && existsSync(each));
  if (!found) throw new Error("no factum binary: build one (cargo build -p factum-cli) or set FACTUM_BIN");
  return found;
}

async function freePort(): Promise<number> {
  const socket = createSocket();
  await new Promise<void>((done) => socket.listen(0, "127.0.0.1", done));
  const address = socket.address();
  await new Promise((done) => socket.close(done));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".woff2": "font/woff2",
};

/** Paths of the server that are not pages of the console. */
const API =
  /^\/(api|events|health|metrics|openapi\.json|docs|subjects|schemas|config|mode|contexts|compatibility)(\/|$)/;

/** A build of the console with the API behind it, for working on the console without building the binary again. */
async function serveBuild(api: number, folder: string): Promise<{ server: Server; port: number }> {
  const dist = resolve(ROOT, "console", folder);
  const server = createServer((incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? "/", "http://localhost");
    if (API.test(pathname)) {
      const headers = { ...incoming.headers, host: `127.0.0.1:${api}` };
      const upstream = httpRequest(
        { port: api, host: "127.0.0.1", path: incoming.url, method: incoming.method, headers },
        (answer: IncomingMessage) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
          answer.on("error", () => outgoing.destroy());
        },
      );
      upstream.on("error", () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
      outgoing.on("close", () => upstream.destroy());
      incoming.pipe(upstream);
      return;
    }
    const file = join(dist, pathname);
    const path = existsSync(file) && statSync(file).isFile() ? file : join(dist, "index.html");
    outgoing.writeHead(200, {
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
    });
    outgoing.end(readFileSync(path));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { server, port: address.port };
}
