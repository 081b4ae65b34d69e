// The SQL box: a query and its answer, an error at its place, names completed, all by keyboard.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { closePage, expectAccessible, Factum, launch, openPage, overflow, THEMES, until } from "./harness.ts";
import { order } from "./orders.ts";

let factum: Factum;
let browser: Browser;

before(async () => {
  factum = await Factum.start();
  browser = await launch();
  await factum.post(
    "store.orders",
    ...Array.from({ length: 12 }, () => order([{ ProductId: 1001, Quantity: 1, UnitPrice: 2.5 }])),
  );
});
after(async () => {
  await browser?.close();
  await factum?.stop();
});

const editor = (page: Page) => page.getByRole("textbox", { name: "SQL query" });

test("a query is run by keyboard, stands in the address, and every digit of its answer stays", async () => {
  const page = await openPage(browser, `${factum.url}/sql`);
  await editor(page).focus();
  await page.keyboard.insertText("SELECT count(*) AS orders, 9007199254740993 AS large FROM store.orders");
  await page.keyboard.press("Control+Enter");
  const answer = page.getByRole("table", { name: "Rows of the answer" });
  await answer.getByRole("cell", { name: "9007199254740993", exact: true }).waitFor();
  await answer.getByRole("cell", { name: "12", exact: true }).waitFor();
  assert.match(new URL(page.url()).searchParams.get("q") ?? "", /count\(\*\)/);
  await page.reload();
  await answer.getByRole("cell", { name: "9007199254740993", exact: true }).waitFor();
  await closePage(page);
});

test("an error is marked at its place, and gone when it is mended", async () => {
  const query = encodeURIComponent("SELECT count(*)\nFROM store.orderz");
  const page = await openPage(browser, `${factum.url}/sql?q=${query}`);
  const mark = page.locator(".cm-lintRange-error");
  await mark.waitFor();
  assert.equal(await mark.textContent(), "store.orderz");
  await page.getByRole("button", { name: "Go to line 2, column 6" }).click();
  await page.keyboard.press("End");
  await page.keyboard.press("Backspace");
  await page.keyboard.insertText("s");
  await until("the mark is gone", async () => (await mark.count()) === 0);
  await page.keyboard.press("Control+Enter");
  await page.getByRole("table", { name: "Rows of the answer" }).waitFor();
  await closePage(page);
});

test("topics, views and columns are completed", async () => {
  const page = await openPage(browser, `${factum.url}/sql`);
  await editor(page).focus();
  await until("views are offered", async () => {
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Backspace");
    await page.keyboard.type("SELECT * FROM store.");
    await page.getByRole("option", { name: "top_movies" }).waitFor({ timeout: 2_000 });
    return (await page.getByRole("option", { name: "orders", exact: true }).count()) === 1;
  });
  await closePage(page);
});

test("what can be queried is listed, and a topic described with where its columns come from", async () => {
  const page = await openPage(browser, `${factum.url}/sql`);
  await page.getByRole("button", { name: /Topics, views and tables/ }).click();
  const answer = page.getByRole("table", { name: "Rows of the answer" });
  await answer.getByRole("row").filter({ hasText: "store.products" }).filter({ hasText: "table" }).waitFor();
  await answer.getByRole("row").filter({ hasText: "store.top_movies" }).filter({ hasText: "view" }).waitFor();
  await page.goto(`${factum.url}/sql?q=${encodeURIComponent("DESCRIBE store.orders")}`);
  await answer.getByRole("row").filter({ hasText: "OrderDate" }).filter({ hasText: "field of the event" }).waitFor();
  await answer.getByRole("row").filter({ hasText: "_id" }).filter({ hasText: "CloudEvents attribute id" }).waitFor();
  await closePage(page);
});

test("examples to begin with, an answer as CSV", async () => {
  const page = await openPage(browser, `${factum.url}/sql`);
  await page.getByRole("button", { name: /How many events/ }).click();
  await page.getByRole("table", { name: "Rows of the answer" }).waitFor();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download CSV" }).click(),
  ]);
  assert.match(readFileSync(await download.path(), "utf8"), /^events\r\n12\r\n$/);
  await closePage(page);
});

for (const theme of THEMES) {
  test(`the SQL box is accessible in ${theme}, and fits 360 px`, async () => {
    const pages: [string, (page: Page) => Promise<void>][] = [
      ["/sql", (page) => page.getByRole("button", { name: /How many events/ }).waitFor()],
      ["/sql?q=SELECT+*+FROM+store.orders", (page) => page.getByRole("cell").nth(5).waitFor()],
      ["/sql?q=SELEC", (page) => page.getByRole("alert").first().waitFor()],
    ];
    for (const [path, shown] of pages) {
      const page = await openPage(browser, `${factum.url}${path}`, { theme });
      await editor(page).waitFor();
      await shown(page);
      await expectAccessible(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await until(`${path} fits`, async () => (await overflow(page)) === 0);
      await closePage(page);
    }
  });
}
