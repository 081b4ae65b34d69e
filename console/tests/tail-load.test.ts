// A tail at 5,000 events a second: the page answers, draws few rows, and its memory stays bounded.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { closePage, Factum, launch, openPage, until } from "./harness.ts";

const RATE = 5_000;
const SECONDS = Number(process.env.FACTUM_SOAK_SECONDS ?? 20);
const EVENTS = RATE * SECONDS;
/** A machine that is busy with other things takes longer over the same events. */
const PATIENCE = 6 * SECONDS;
/** The longest that the page may be deaf to its reader. */
const LONGEST_PAUSE = 500;
const HEAP = 120 * 1024 * 1024;
/** What a list without a bound would pass within seconds. */
const GROWTH = 12 * 1024 * 1024;
const TOPIC = "shop.load";

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

test(`${EVENTS} events at ${RATE} a second`, async (context) => {
  await factum.post(TOPIC, event(0));
  const page = await openPage(browser, `${factum.url}/topics/${TOPIC}`);
  await page
    .getByRole("status")
    .filter({ hasText: /^Live$/ })
    .waitFor();
  const load = new Load();
  const running = load.run();

  await until("the tail has filled", async () => (await received(page)) > 3 * RATE, PATIENCE);
  await watchPauses(page);
  const early = await heap(page);
  // A reader goes on using the page meanwhile.
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByTestId("tail-count").filter({ hasText: "new" }).waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  const rows = await page.getByRole("row").count();
  const seconds = await running;
  await until("all has been received", async () => (await received(page)) >= EVENTS, PATIENCE);
  const late = await heap(page);
  const { pauses, longest } = await seenPauses(page);

  context.diagnostic(
    `sent ${EVENTS} in ${Math.round(seconds)} s; heap ${mib(early)} then ${mib(late)}; ${rows} rows drawn; ${pauses} pauses over 100 ms, the longest ${Math.round(longest)} ms`,
  );
  assert.ok(rows < 80, `${rows} rows`);
  assert.ok(longest < LONGEST_PAUSE, `${longest} ms`);
  assert.ok(late < HEAP, mib(late));
  assert.ok(late < early + GROWTH, `${mib(early)} grew to ${mib(late)}`);
  await closePage(page);
});

/** Sends `EVENTS` in batches, on the whole `RATE` a second and no faster; says how many seconds it took. */
class Load {
  async run(): Promise<number> {
    const begun = performance.now();
    let sent = 0;
    while (sent < EVENTS) {
      const due = Math.min(((performance.now() - begun) / 1_000) * RATE, EVENTS) - sent;
      if (due < Math.min(250, EVENTS - sent)) {
        await new Promise((done) => setTimeout(done, 10));
        continue;
      }
      const batch = Array.from({ length: Math.min(Math.floor(due), 2_000) }, (_, index) => event(sent + index));
      await factum.post(TOPIC, ...batch);
      sent += batch.length;
    }
    return (performance.now() - begun) / 1_000;
  }
}

function event(id: number) {
  return {
    id,
    email: `customer${id % 977}@contoso.example`,
    address: "62 White Fabien Avenue, Phoenix",
    total: id / 7,
    note: "x".repeat(200),
  };
}

async function received(page: Page): Promise<number> {
  const text = (await page.getByTestId("tail-count").textContent()) ?? "";
  return Number(/^([\d\u202f]+) received/.exec(text)?.[1]?.replaceAll("\u202f", "") ?? 0);
}

/** Bytes of the page's heap after a collection. */
async function heap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}

interface Pauses {
  pauses: number;
  longest: number;
}

/** Notes how late a timer is that should be called every 10 ms. */
async function watchPauses(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen = { pauses: 0, longest: 0 };
    (window as unknown as { seen: typeof seen }).seen = seen;
    let last = performance.now();
    setInterval(() => {
      const now = performance.now();
      const pause = now - last - 10;
      if (pause > 100) seen.pauses += 1;
      seen.longest = Math.max(seen.longest, pause);
      last = now;
    }, 10);
  });
}

async function seenPauses(page: Page): Promise<Pauses> {
  return page.evaluate(() => (window as unknown as { seen: Pauses }).seen);
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
