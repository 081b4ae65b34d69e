// What pages leave out is shown: records that cannot be read, values that cannot be computed, events that a query could
// not take, and views that are not those of now.
//
//   FACTUM_SCREENSHOTS   if set, pictures of what is shown go there
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { isBehind } from "../src/routes/views/freshness.ts";
import { closePage, expectAccessible, Factum, launch, openPage, overflow, THEMES, until } from "./harness.ts";

const READINGS = "store.readings";
const LARGE = "9223372036854775807";
const VIEWS = `CREATE MATERIALIZED VIEW totals AS SELECT meter, sum(value) AS total FROM readings GROUP BY meter;
CREATE MATERIALIZED VIEW last_values AS SELECT meter, max(value) AS value FROM later GROUP BY meter;
`;
const DASHBOARD = `title: Meters
panels:
  - { title: Last values, table: [meter, value], view: last_values }
  - { title: Totals, table: [meter, total], view: totals }
`;

let factum: Factum;
let browser: Browser;

before(async () => {
  factum = await Factum.start();
  browser = await launch();
  await Promise.all(["readings", "later", "busy"].map(declare));
  for (const mark of ["first", "gone", "gone", "last"]) {
    await factum.postRaw(READINGS, `{"meter":"a","value":${LARGE},"mark":"${mark}"}`, "application/json");
  }
  await factum.post(READINGS, { meter: "b", value: 5, mark: "fine" });
  // JSON, as the topic wants it, and no event whose fields could be columns.
  await factum.postRaw(READINGS, '["no object"]', "application/json");
  await factum.post("store.later", { meter: "a", value: 7 });
  await factum.damage(READINGS, "gone");
  writeFileSync(join(factum.project, "teams/store/pipelines/meters.sql"), VIEWS);
  writeFileSync(join(factum.project, "teams/store/dashboards/meters.yaml"), DASHBOARD);
});
after(async () => {
  await browser?.close();
  await factum?.stop();
});

/** Declares an event without a contract, and waits for its topic. */
async function declare(event: string): Promise<void> {
  const file = join(factum.project, `teams/store/events/${event}.yaml`);
  writeFileSync(file, `summary: What a test sends.\nformat: json\npartitions: 1\n`);
  await until("its topic is there", async () => (await fetch(`${factum.api}/api/v1/topics/store.${event}`)).ok);
}

async function create(topic: string): Promise<void> {
  const body = JSON.stringify({ name: topic, partitions: 1 });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${factum.api}/api/v1/topics`, { method: "POST", headers, body });
  assert.equal(answer.status, 201);
}

/** Nothing sticks out and axe finds nothing, on a desk and on a phone, in both themes. */
async function check(page: Page, name: string): Promise<void> {
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme });
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      await until(`${page.url()} fits ${width} px`, async () => (await overflow(page)) === 0);
      await expectAccessible(page);
      if (process.env.FACTUM_SCREENSHOTS) {
        mkdirSync(process.env.FACTUM_SCREENSHOTS, { recursive: true });
        const path = join(process.env.FACTUM_SCREENSHOTS, `${name}-${theme}-${width}.png`);
        await page.screenshot({ path, fullPage: true });
      }
    }
  }
}

for (const from of ["earliest", "latest"] as const) {
  test(`offsets that cannot be read are a row in their place, reading from the ${from}`, async () => {
    const page = await openPage(browser, `${factum.url}/topics/${READINGS}?from=${from}`);
    const rows = page.getByRole("grid", { name: "Messages" }).getByRole("row");
    await page.getByText("that cannot be read").first().waitFor();
    const texts = (await rows.allTextContents()).slice(1);
    const order = from === "earliest" ? texts : texts.toReversed();
    const signs = [/"first"/, /offsets? 1 (to 2 )?cannot be read: ./, /"last"/, /"fine"/, /no object/];
    assert.equal(order.filter((text) => /cannot be read/.test(text)).length, order.length - 4, order.join("\n"));
    const read = order.filter((text) => !/offset 2 cannot be read/.test(text));
    signs.forEach((sign, index) => assert.match(read[index] ?? "", sign));
    await rows
      .filter({ hasText: /cannot be read/ })
      .first()
      .click();
    await page
      .getByRole("alert")
      .filter({ hasText: /Partition 0, offsets? 1/ })
      .waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await check(page, `topic-unreadable-${from}`);
    await closePage(page);
  });
}

test("a filter does not hide what cannot be read", async () => {
  const page = await openPage(browser, `${factum.url}/topics/${READINGS}?from=earliest&q=nothing-has-this`);
  await page
    .getByRole("row")
    .filter({ hasText: /cannot be read: ./ })
    .first()
    .waitFor();
  await page.getByText(/0 of 4 looked at match, \d ranges? that cannot be read/).waitFor();
  await closePage(page);
});

test("values that cannot be computed are listed with their row and the reason", async () => {
  const page = await openPage(browser, `${factum.url}/views/store.totals`);
  const list = page.getByRole("list", { name: "Values that cannot be computed" });
  await list
    .getByRole("listitem")
    .filter({ hasText: '{"meter":"a"}' })
    .filter({ hasText: "too large for a bigint" })
    .waitFor();
  await page
    .getByRole("table", { name: "Rows of store.totals" })
    .getByRole("cell", { name: "5", exact: true })
    .waitFor();
  await check(page, "view-errors");
  await closePage(page);
});

test("a query says how many events it left out, and why", async () => {
  const query = encodeURIComponent(`SELECT count(meter) AS readings FROM ${READINGS}`);
  const page = await openPage(browser, `${factum.url}/sql?q=${query}`);
  await page.getByText(/1 event left out: the first is store\.readings\/0\/\d+: ./).waitFor();
  await page.getByText("2 events left out: the log cannot read them.").waitFor();
  await check(page, "sql-left-out");
  await closePage(page);
});

test("a view says how many events it left out, since when and why, and where they are, also after a restart", async () => {
  await factum.kill();
  await factum.up();
  const page = await openPage(browser, `${factum.url}/views/store.totals`);
  const notice = page.getByRole("status").filter({ hasText: /left out|takes no event in/ });
  await notice.filter({ hasText: /Since .*, the last at .*: .+\. It is in store\.totals\.dead-letter\./ }).waitFor();
  await check(page, "view-left-out");
  await notice.getByRole("link", { name: "store.totals.dead-letter" }).click();
  await page.getByRole("grid", { name: "Messages" }).getByText("no object").first().waitFor();
  await closePage(page);
});

test("a view that stands still says so on its page and on dashboards, keeps its rows, and goes on", async () => {
  // One page at a time: what is behind another window follows nothing.
  const page = await openPage(browser, `${factum.url}/views/store.last_values`);
  const value = (text: string) => page.getByRole("cell", { name: text, exact: true }).first();
  await value("7").waitFor();
  assert.equal(await page.getByText("stands still").count(), 0);

  const gone = await fetch(`${factum.api}/api/v1/topics/store.later`, { method: "DELETE" });
  assert.ok(gone.ok);
  const notice = /It is (waiting|failed), its rows are as of .* and \d+ events? behind: there is no topic store.later/;
  await page.getByRole("status").filter({ hasText: notice }).waitFor();
  await page.getByText("stands still: as of").waitFor();
  assert.ok(await value("7").isVisible());
  await check(page, "view-stale");

  await page.goto(`${factum.url}/dashboards/store.meters`);
  await page.getByRole("status").filter({ hasText: "1 view stands still" }).first().waitFor();
  const panel = page.getByRole("region", { name: "Last values", exact: true });
  await panel.getByRole("status").filter({ hasText: notice }).waitFor();
  await panel.getByRole("cell", { name: "7", exact: true }).waitFor();
  await check(page, "dashboard-stale");

  await create("store.later");
  await factum.post("store.later", { meter: "a", value: 9 });
  await panel.getByRole("cell", { name: "9", exact: true }).waitFor();
  await until("the notice is gone", async () => (await page.getByText("stands still").count()) === 0);
  await closePage(page);
});

test("a view that is being rebuilt says how far it is", async () => {
  // Enough that a rebuild takes longer than a page between two looks at it.
  for (let batch = 0; batch < 126; batch += 1) {
    const events = Array.from({ length: 4_000 }, (_, n) => ({ meter: n % 10, value: batch * 4_000 + n }));
    await factum.post("store.busy", ...events);
  }
  const file = join(factum.project, "teams/store/pipelines/busy.sql");
  const sql = (total: string) =>
    `CREATE MATERIALIZED VIEW busy_totals AS SELECT meter, ${total} AS total FROM busy GROUP BY meter;\n`;
  writeFileSync(file, sql("sum(value)"));
  const page = await openPage(browser, `${factum.url}/views/store.busy_totals`);
  writeFileSync(file, sql("max(value)"));
  await page
    .getByRole("status")
    .filter({ hasText: /being (re)?built.*[\d\s]+ of [\d\s]+ events are taken in/ })
    .waitFor();
  await until("it is live", async () => (await page.getByText(/being (re)?built/).count()) === 0, 60);
  await closePage(page);
});

test("a view warns before it has too many rows to be followed", async () => {
  const file = join(factum.project, "teams/store/pipelines/busy.sql");
  writeFileSync(
    file,
    "CREATE MATERIALIZED VIEW wide AS SELECT value % 84000 AS slot, count(*) AS readings FROM busy GROUP BY value % 84000;\n",
  );
  const page = await openPage(browser, `${factum.url}/views/store.wide`);
  await page
    .getByRole("status")
    .filter({ hasText: "It has 84000 rows, and beyond 100000 it can no longer be followed or read at once" })
    .waitFor({ timeout: 60_000 });
  await check(page, "view-row-limit");
  rmSync(file);
  await closePage(page);
});

test("rows are behind once events have waited for a while", () => {
  const at = Date.parse("2026-11-20T10:00:00Z");
  const rows = { as_of: "2026-11-20T10:00:00Z", lag: "3", state: "live" };
  assert.equal(isBehind(rows, at + 1_000), false);
  assert.equal(isBehind(rows, at + 11_000), true);
  assert.equal(isBehind({ ...rows, lag: "0" }, at + 11_000), false);
});
