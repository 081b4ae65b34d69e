// Dashboards: numbers that move, charts with table twins, panels that say what is wrong with them.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { closePage, expectAccessible, Factum, launch, openPage, overflow, THEMES, until } from "./harness.ts";
import { order } from "./orders.ts";

let factum: Factum;
let browser: Browser;

before(async () => {
  factum = await Factum.start();
  browser = await launch();
  const items = [1, 2, 3].map((each) => ({ ProductId: 1000 + each, Quantity: each, UnitPrice: 10.25 }));
  await factum.post("store.orders", ...Array.from({ length: 30 }, (_, minute) => order(items, minute * 60)));
});
after(async () => {
  await browser?.close();
  await factum?.stop();
});

const panel = (page: Page, title: string) => page.getByRole("region", { name: title, exact: true });
const figure = async (page: Page, title: string) =>
  ((await panel(page, title).locator(".big-number-digits").textContent()) ?? "").replaceAll(/[^\d.]/g, "");

test("numbers move when orders are posted", async () => {
  const page = await openPage(browser, `${factum.url}/dashboards/store.movies`);
  await until("there are orders", async () => Number(await figure(page, "Orders today")) > 0);
  const [orders, revenue] = [Number(await figure(page, "Orders today")), Number(await figure(page, "Revenue today"))];
  await factum.post("store.orders", order([{ ProductId: 1001, Quantity: 2, UnitPrice: 14.99 }]));
  await until("one order more", async () => Number(await figure(page, "Orders today")) === orders + 1);
  await until(
    "29.98 more",
    async () => Math.abs(Number(await figure(page, "Revenue today")) - revenue - 29.98) < 0.001,
  );
  await closePage(page);
});

test("a chart has a table twin with the same values", async () => {
  const page = await openPage(browser, `${factum.url}/dashboards/store.movies`);
  const chart = panel(page, "Top ten films of all time");
  await chart.getByRole("listitem").first().waitFor();
  const bars = await chart
    .getByRole("listitem")
    .evaluateAll((items) =>
      items.map((item) => [...item.children].map((part) => part.textContent ?? "").filter((text) => text !== "")),
    );
  await chart.getByRole("button", { name: /as a table/ }).click();
  await chart.getByRole("table").waitFor();
  assert.ok(bars.length >= 3, `${bars.length} bars`);
  assert.deepEqual(await cells(chart.getByRole("table")), bars);

  const line = panel(page, "Revenue per minute");
  await line.getByRole("img").focus();
  await page.keyboard.press("End");
  const shown = ((await line.locator(".series-value").textContent()) ?? "").replaceAll(/[^\d.]/g, "");
  await line.getByRole("button", { name: /as a table/ }).click();
  const rows = await cells(line.getByRole("table"));
  const answer = (await (await fetch(`${factum.api}/api/v1/views/orders_per_minute`)).json()) as {
    rows: Record<string, string>[];
  };
  assert.deepEqual(
    rows.slice(0, 5),
    answer.rows.slice(0, 5).map((row) => [row.window_start, row.revenue]),
  );
  assert.equal(Number(shown), Number(answer.rows.at(-1)!.revenue));
  await closePage(page);
});

test("a panel whose view is missing says so in its place, and the others go on", async () => {
  const file = join(factum.project, "teams/store/dashboards/movies.yaml");
  const sound = readFileSync(file, "utf8");
  writeFileSync(
    file,
    sound.replace("bar: sold, by: title, view: top_movies", "bar: sold, by: title, view: top_moviez"),
  );
  const page = await openPage(browser, `${factum.url}/dashboards/store.movies`);
  await panel(page, "Top ten films of all time").getByText("top_moviez").first().waitFor();
  await panel(page, "Top ten films of all time").getByRole("link", { name: "See the views there are" }).waitFor();
  await until("the others go on", async () => Number(await figure(page, "Orders today")) > 0);
  await expectAccessible(page);
  writeFileSync(file, sound);
  await panel(page, "Top ten films of all time").getByRole("listitem").first().waitFor();
  await closePage(page);
});

test("a panel whose view leaves the project says so, and fills again when it is back", async () => {
  const file = join(factum.project, "teams/store/pipelines/orders_this_hour.sql");
  const sound = readFileSync(file, "utf8");
  const page = await openPage(browser, `${factum.url}/dashboards/store.movies`);
  await until("it shows", async () => (await figure(page, "Orders this hour")) !== "");
  writeFileSync(file, "-- nothing\n");
  await panel(page, "Orders this hour").getByText("store.orders_this_hour").first().waitFor();
  assert.ok(Number(await figure(page, "Orders today")) > 0, "the others go on");
  writeFileSync(file, sound);
  await until("it shows again", async () => Number(await figure(page, "Orders this hour")) >= 0);
  await closePage(page);
});

test("the server goes and comes back: the page says so and goes on by itself", async () => {
  const page = await openPage(browser, `${factum.url}/dashboards/store.movies`);
  await until("there are orders", async () => Number(await figure(page, "Orders today")) > 0);
  const before = Number(await figure(page, "Orders today"));
  await factum.kill();
  await page.getByText("not live: as of").waitFor();
  assert.equal(Number(await figure(page, "Orders today")), before, "the last numbers stay");
  await factum.up();
  await factum.post("store.orders", order([{ ProductId: 1001, Quantity: 1, UnitPrice: 1 }]));
  await until("it goes on", async () => Number(await figure(page, "Orders today")) === before + 1);
  await page.getByText("not live: as of").waitFor({ state: "detached" });
  await closePage(page);
});

for (const theme of THEMES) {
  test(`dashboards are accessible in ${theme}, and fit 360 px`, async () => {
    for (const path of ["/dashboards", "/dashboards/store.movies"]) {
      const page = await openPage(browser, `${factum.url}${path}`, { theme });
      await page
        .getByText(/Contoso Movies/)
        .first()
        .waitFor();
      if (path !== "/dashboards")
        await panel(page, "Top ten films of all time").getByRole("listitem").first().waitFor();
      await expectAccessible(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await until(`${path} fits`, async () => (await overflow(page)) === 0);
      await closePage(page);
    }
  });
}

/** A table's cells as text, row by row. */
async function cells(table: ReturnType<Page["getByRole"]>): Promise<string[][]> {
  return table
    .getByRole("row")
    .evaluateAll((rows) =>
      rows.slice(1).map((row) => [...row.querySelectorAll("[role=cell]")].map((cell) => cell.textContent ?? "")),
    );
}
