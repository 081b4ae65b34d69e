// Home: rates that move, a broken project that shows and goes away, a server that goes and comes back.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { promisify } from "node:util";
import { binary, closePage, expectAccessible, Factum, launch, openPage, overflow, THEMES, until } from "./harness.ts";

let factum: Factum;
let browser: Browser;

before(async () => {
  factum = await Factum.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await factum?.stop();
});

test("rates move when events come", async () => {
  const page = await openPage(browser, factum.url);
  const rate = page.getByTestId("events-per-second");
  await rate.filter({ hasText: /^0$/ }).waitFor();
  await until("the rate is above zero", async () => {
    await factum.post("shop.visits", ...Array.from({ length: 50 }, (_, id) => ({ id })));
    return /[1-9]/.test((await rate.textContent()) ?? "");
  });
  await page.getByRole("link", { name: "shop.visits" }).waitFor();
  await closePage(page);
});

test("nothing is asked of another server, and the first page is small", async () => {
  const page = await openPage(browser, "about:blank");
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(factum.url);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByTestId("events-per-second").filter({ hasText: /\d/ }).waitFor();
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(factum.url) && !url.startsWith("data:")),
    [],
  );
  const scripts = asked.filter((url) => url.endsWith(".js"));
  const sizes = await Promise.all(scripts.map(async (url) => gzipped(await (await fetch(url)).arrayBuffer())));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total <= 250_000, `${total} bytes of JavaScript, compressed`);
  await closePage(page);
});

test("a broken query shows with its place, and goes away when it is mended", async () => {
  const page = await openPage(browser, factum.url);
  const file = join(factum.project, "teams/store/pipelines/top_movies.sql");
  const sound = readFileSync(file, "utf8");
  const problem = page.getByTestId("project-problem");
  writeFileSync(file, sound.replace("SELECT", "SELEC"));
  await problem.filter({ hasText: "top_movies.sql" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Topics", exact: true }).click();
  await page.getByText("The project has a problem").waitFor();
  writeFileSync(file, sound);
  await page.getByText("The project has a problem").waitFor({ state: "detached" });
  await closePage(page);
});

test("the page says that the server is gone, and recovers by itself", async () => {
  const page = await openPage(browser, factum.url);
  await page.getByTestId("events-per-second").filter({ hasText: /\d/ }).waitFor();
  await factum.kill();
  const notice = page.getByText("The server is gone; trying again.");
  await notice.waitFor();
  await expectAccessible(page);
  await factum.up();
  await notice.waitFor({ state: "detached" });
  const rate = page.getByTestId("events-per-second");
  await until("the rate moves again", async () => {
    await factum.post("shop.visits", ...Array.from({ length: 50 }, (_, id) => ({ id })));
    return /[1-9]/.test((await rate.textContent()) ?? "");
  });
  await closePage(page);
});

test("the palette finds a topic by its name, by keyboard alone", async () => {
  await factum.post("shop.palette", { id: 1 });
  const page = await openPage(browser, factum.url);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Go to a page").waitFor();
  await expectAccessible(page);
  await page.keyboard.type("palette");
  await page.getByRole("option", { name: "shop.palette" }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL("**/topics/shop.palette");
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Go to a page").waitFor();
  await page.keyboard.press("Escape");
  await page.getByPlaceholder("Go to a page").waitFor({ state: "detached" });
  await closePage(page);
});

test("the theme is kept, and known before the first paint", async () => {
  const page = await openPage(browser, factum.url, { theme: "light" });
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await theme(), "light");
  await page.getByRole("radio", { name: "Dark" }).first().check({ force: true });
  assert.equal(await theme(), "dark");
  await page.route(/assets\/index.*\.js/, (route) => route.abort());
  await page.reload();
  assert.equal(await theme(), "dark", "without the bundle");
  await page.context().close();
});

for (const theme of THEMES) {
  for (const width of [1280, 360]) {
    test(`axe finds nothing on home, ${theme}, ${width} px`, async () => {
      const page = await openPage(browser, factum.url, { theme, viewport: { width, height: 800 } });
      await page.getByTestId("events-per-second").filter({ hasText: /\d/ }).waitFor();
      await expectAccessible(page);
      assert.equal(await overflow(page), 0);
      await closePage(page);
    });
  }
}

test("all of the navigation is reached by Tab, and its focus is seen", async () => {
  const page = await openPage(browser, factum.url);
  await page.getByRole("heading", { level: 1 }).waitFor();
  const reached = await tabThrough(page, 24);
  for (const name of ["Skip to the content", "Topics", "Views", "Dashboards", "SQL", "Pipelines"]) {
    assert.ok(
      reached.some((each) => each.name.includes(name)),
      `${name} is reached`,
    );
  }
  assert.deepEqual(
    reached.filter((each) => !each.outlined),
    [],
  );
  await closePage(page);
});

async function tabThrough(page: Page, times: number): Promise<{ name: string; outlined: boolean }[]> {
  const reached = [];
  for (let count = 0; count < times; count += 1) {
    await page.keyboard.press("Tab");
    reached.push(
      await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        // A radio button is drawn by its label.
        const drawn =
          element instanceof HTMLInputElement && element.type === "radio" ? element.parentElement! : element;
        return {
          name: element.textContent || element.ariaLabel || element.tagName,
          outlined: element === document.body || getComputedStyle(drawn).outlineStyle !== "none",
        };
      }),
    );
  }
  return reached;
}

async function gzipped(data: ArrayBuffer): Promise<number> {
  const { gzipSync } = await import("node:zlib");
  return gzipSync(new Uint8Array(data)).length;
}

/** The commands of "Try next", in the order of `labels`. */
async function suggested(page: Page, labels: string[]): Promise<string[]> {
  const texts = [];
  for (const label of labels) texts.push(await page.getByLabel(label, { exact: true }).textContent());
  return texts.map((text) => text ?? "");
}

/** Runs a command as a reader of the page would, with `factum` on the path. An HTTP error fails it. */
async function run(command: string): Promise<string> {
  const bin = mkdtempSync(join(tmpdir(), "factum-bin-"));
  const script = (name: string, text: string) => {
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  script("factum", `exec '${binary()}' "$@"`);
  script("curl", 'PATH="${PATH#*:}" exec curl --silent --show-error --fail-with-body "$@"');
  try {
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    return (await promisify(execFile)("bash", ["-c", command], { env, timeout: 30_000 })).stdout;
  } finally {
    rmSync(bin, { recursive: true });
  }
}

for (const name of ["the movies", "a new project", "no project"]) {
  test(`the commands that Home suggests work as they are written: ${name}`, async () => {
    const home = mkdtempSync(join(tmpdir(), "factum-home-"));
    if (name === "a new project") await run(`factum init ${home}/shop`);
    const project = { "the movies": "examples/movies", "a new project": join(home, "shop") }[name] ?? null;
    const server = await Factum.start({ project });
    const page = await openPage(browser, server.url);
    const [send, read, query] = [
      "command that sends an event",
      "command that reads with kcat",
      "command that runs a query",
    ];
    for (const command of await suggested(page, project ? [send, query, read] : [send, read])) {
      assert.notEqual(await run(command), "", command);
    }
    if (project) {
      const rows = JSON.parse(
        await run(`factum --server ${server.api} sql 'SELECT * FROM store.orders' -o json`),
      ) as object[];
      const empty = rows.flatMap((row) =>
        Object.entries(row).filter(([name, value]) => value === null && !name.startsWith("_")),
      );
      assert.equal(rows.length, 1);
      assert.deepEqual(empty, [], "every field of the contract has a value");
    }
    await closePage(page);
    await server.stop();
    rmSync(home, { recursive: true });
  });
}
