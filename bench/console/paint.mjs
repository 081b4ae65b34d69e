// First contentful paint of the console's Home and of the movies dashboard, on loopback, with nothing kept by the
// browser; and what JavaScript each page loads, as gzip. `npm ci` in console/ brings the driver.
//
//   node bench/console/paint.mjs [FACTUM] [LOADS]     a release build (target/release/factum), 5
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";

const ROOT = resolve(import.meta.dirname, "../..");
const { chromium } = createRequire(join(ROOT, "console/package.json"))("playwright-core");
const [factum = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "release/factum"), loads = "5"] =
  process.argv.slice(2);
const PORTS = { http: "127.0.0.1:18080", kafka: "127.0.0.1:19092" };
const PAGES = { home: "/", dashboard: "/dashboards/store.movies" };

const data = mkdtempSync(join(tmpdir(), "factum-paint-"));
const project = join(ROOT, "examples/movies");
const places = ["--data-dir", data, "--http", PORTS.http, "--kafka", PORTS.kafka];
const server = spawn(factum, ["dev", project, "--generate", ...places], { stdio: "ignore" });
const browser = await chromium.launch({
  executablePath: process.env.FACTUM_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
try {
  await ready();
  for (const [name, path] of Object.entries(PAGES)) await measure(name, path);
} finally {
  await browser.close();
  server.kill();
  rmSync(data, { recursive: true, force: true });
}

async function ready() {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {
    const answer = await fetch(`http://${PORTS.http}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await wait(50);
  }
  throw new Error(`${factum} was not ready within 30 s`);
}

async function measure(name, path) {
  const paints = [];
  const scripts = new Set();
  for (let load = 0; load < Number(loads); load += 1) {
    // A new context has a cache of its own, and it is empty.
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    page.on("request", (request) => request.resourceType() === "script" && scripts.add(request.url()));
    await page.goto(`http://${PORTS.http}${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    paints.push(await page.evaluate(firstContentfulPaint));
    await page.waitForTimeout(500);
    await context.close();
  }
  let bytes = 0;
  for (const url of scripts) bytes += gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer())).length;
  paints.sort((a, b) => a - b);
  const [low, middle, high] = [paints[0], paints[Math.floor(paints.length / 2)], paints.at(-1)].map(Math.round);
  console.log(`${name}: first contentful paint ${middle} ms (${low}–${high}), JavaScript ${(bytes / 1000).toFixed(1)} kB gzip`);
}

/** Runs in the page. */
function firstContentfulPaint() {
  return new Promise((done) => {
    new PerformanceObserver((list) => {
      const [paint] = list.getEntriesByName("first-contentful-paint");
      if (paint) done(paint.startTime);
    }).observe({ type: "paint", buffered: true });
  });
}
