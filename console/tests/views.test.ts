// Views and pipelines: rows that follow events, exact to the last digit; what is broken says so and is mended.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { closePage, expectAccessible, Factum, launch, openPage, overflow, THEMES, until } from "./harness.ts";
import { order } from "./orders.ts";

/** Beyond 2^53, where a browser's numbers have gaps. */
const LARGE = "9007199254740993";

let factum: Factum;
let browser: Browser;

before(async () => {
  factum = await Factum.start();
  browser = await launch();
  const large =
    "CREATE MATERIALIZED VIEW large AS SELECT _partition AS partition_id, 9007199254740993 AS amount, count(*) AS orders FROM orders GROUP BY _partition;\n";
  writeFileSync(join(factum.project, "teams/store/pipelines/large.sql"), large);
  const items = [1, 2, 3, 4, 5].map((each) => ({ ProductId: 1000 + each, Quantity: each, UnitPrice: 4.5 }));
  await factum.post("store.orders", ...Array.from({ length: 20 }, (_, minute) => order(items, minute * 60)));
});
after(async () => {
  await browser?.close();
  await factum?.stop();
});

test("rows follow events, in the view's order", async () => {
  const page = await openPage(browser, `${factum.url}/views/store.top_movies`);
  const first = page
    .getByRole("table", { name: /Rows of/ })
    .getByRole("row")
    .nth(1);
  await first.filter({ hasText: "1005" }).waitFor();
  await factum.post("store.orders", order([{ ProductId: 1001, Quantity: 1000, UnitPrice: 1 }]));
  await first.filter({ hasText: "1001" }).filter({ hasText: "1020" }).waitFor();
  await closePage(page);
});

test("sorting, filter and chart are part of the address", async () => {
  const page = await openPage(browser, `${factum.url}/views/store.top_movies`);
  const rows = page.getByRole("table", { name: /Rows of/ }).getByRole("row");
  await rows.nth(3).waitFor();
  await page.getByRole("button", { name: "product_id" }).click();
  await page.waitForURL(/sort=product_id/);
  await rows.nth(1).filter({ hasText: "1001" }).waitFor();
  await page.getByRole("button", { name: "product_id" }).click();
  await page.waitForURL(/sort=-product_id/);
  await rows.nth(1).filter({ hasText: "1005" }).waitFor();
  await page.getByRole("searchbox", { name: "Filter rows" }).fill("1003");
  await page.waitForURL(/q=1003/);
  await until("one row is left", async () => (await rows.count()) === 2);
  await page.reload();
  await until("and after a reload", async () => (await rows.count()) === 2);
  await page.getByRole("button", { name: "Chart" }).click();
  await page.waitForURL(/show=chart/);
  await until("one bar", async () => (await page.locator(".bar").count()) === 1);
  await closePage(page);
});

test("64-bit integers are intact", async () => {
  const page = await openPage(browser, `${factum.url}/views/store.large`);
  const table = page.getByRole("table", { name: /Rows of/ });
  await table.getByRole("cell", { name: LARGE, exact: true }).first().waitFor();
  await page.getByRole("button", { name: "Chart" }).click();
  await page.locator(".bar-value").first().waitFor();
  assert.equal((await page.locator(".bar-value").first().textContent())?.replaceAll(/\D/g, ""), LARGE);
  await closePage(page);
});

test("a broken .sql shows its error and goes away when mended; the view goes on", async () => {
  const file = join(factum.project, "teams/store/pipelines/activity_today.sql");
  const sound = readFileSync(file, "utf8");
  for (const path of ["/views", "/pipelines"]) {
    const page = await openPage(browser, `${factum.url}${path}`);
    await page.getByRole("link", { name: "store.activity_today" }).waitFor();
    writeFileSync(file, sound.replace("FROM orders", "FROM orderz"));
    await page.getByText("The project has a problem").waitFor();
    await page.getByText("activity_today.sql").first().waitFor();
    await page.getByRole("link", { name: "store.activity_today" }).waitFor();
    writeFileSync(file, sound);
    await page.getByText("The project has a problem").waitFor({ state: "detached" });
    await closePage(page);
  }
});

test("a poison event is counted, with a link to where it is", async () => {
  await factum.postRaw(
    "store.orders",
    '{"Email":"x@example.com","OrderDate":"not a time","Total":1}',
    "application/json",
  );
  const page = await openPage(browser, `${factum.url}/views/store.activity_today`);
  const count = page.getByText(/^1 in store\.activity_today\.dead-letter$/);
  await count.waitFor();
  const link = count.getByRole("link", { name: "store.activity_today.dead-letter" });
  assert.match((await link.getAttribute("href")) ?? "", /^\/topics\/store\.activity_today\.dead-letter/);
  await closePage(page);
});

test("a view that does not exist is told with the name that was probably meant", async () => {
  const page = await openPage(browser, `${factum.url}/views/store.top_movie`);
  await page.getByText("This view cannot be shown").waitFor();
  await page
    .getByRole("link", { name: /store\.top_movies|All views/ })
    .first()
    .waitFor();
  await closePage(page);
});

for (const theme of THEMES) {
  test(`views and pipelines are accessible in ${theme}, and fit 360 px`, async () => {
    const pages: [string, (page: Page) => Promise<void>][] = [
      ["/views", (page) => page.getByRole("link", { name: "store.top_movies" }).waitFor()],
      ["/views/store.top_movies", (page) => page.getByRole("cell").nth(5).waitFor()],
      ["/views/store.orders_per_minute?show=chart", (page) => page.locator("canvas").first().waitFor()],
      ["/views/store.nowhere", (page) => page.getByRole("alert").waitFor()],
      ["/pipelines", (page) => page.getByRole("link", { name: "store.top_movies" }).waitFor()],
      ["/pipelines/store.top_movies", (page) => page.getByText("on each reading").last().waitFor()],
    ];
    for (const [path, shown] of pages) {
      const page = await openPage(browser, `${factum.url}${path}`, { theme });
      await shown(page);
      await expectAccessible(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await until(`${path} fits`, async () => (await overflow(page)) === 0);
      await closePage(page);
    }
  });
}
