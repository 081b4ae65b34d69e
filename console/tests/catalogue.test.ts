// The catalogue: events found by their fields, one event with its example and readers, and who would notice a schema.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { closePage, expectAccessible, Factum, launch, openPage, overflow, THEMES } from "./harness.ts";

let factum: Factum;
let browser: Browser;

before(async () => {
  factum = await Factum.start();
  browser = await launch();
  const group = await fetch(`${factum.api}/api/v1/groups/mailer/offsets`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ topic: "store.orders", to: "earliest", create: true }),
  });
  assert.ok(group.ok, await group.text());
});
after(async () => {
  await browser?.close();
  await factum?.stop();
});

test("events are found by the words of their schema, and opened", async () => {
  const page = await openPage(browser, `${factum.url}/catalogue`);
  await page.getByRole("row", { name: /store\.orders.*store.*JSON/ }).waitFor();
  await page.getByLabel("Find an event").fill("nothing like it");
  await page.getByText("No event has “nothing like it”").waitFor();
  await page.getByLabel("Find an event").fill("orderdate EMAIL");
  await page.waitForURL(/search=orderdate/);
  await page.reload();
  await page.getByRole("link", { name: "store.orders" }).click();
  await page.getByRole("heading", { level: 1, name: "store.orders" }).waitFor();
  await closePage(page);
});

test("an event shows its example, schema, readers and makers, and one can be sent", async () => {
  const page = await openPage(browser, `${factum.url}/topics/store.orders`);
  await page.getByRole("link", { name: "catalogue", exact: true }).click();
  await page.waitForURL(/\/catalogue\/store\.orders$/);
  await page.getByRole("list", { name: "Read by" }).getByRole("link", { name: "mailer" }).waitFor();
  await page.getByRole("list", { name: "Read by" }).getByRole("link", { name: "store.top_movies" }).waitFor();
  await page.getByLabel("Schema of store.orders").getByText('"OrderDate"').first().waitFor();
  await page.getByRole("button", { name: "Copy the example" }).click();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as Record<string, unknown>;
  assert.ok("OrderDate" in copied, JSON.stringify(copied));
  await page.getByRole("button", { name: "Send an event" }).click();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("button", { name: "Send another" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("list", { name: "Made by" }).getByText("/contoso/store").waitFor();
  await closePage(page);
});

test("a name that no event has is told, with the nearest", async () => {
  const page = await openPage(browser, `${factum.url}/catalogue/store.order`);
  await page.getByText("No such event is declared").waitFor();
  await page.getByText("Did you mean store.orders?", { exact: true }).waitFor();
  await closePage(page);
});

test("a check names the views that a schema breaks, and the subject's page those who read it", async () => {
  const schema = { type: "object", properties: { OrderDate: { type: "string" }, Total: { type: "number" } } };
  const registered = await fetch(`${factum.api}/subjects/store.orders-value/versions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ schemaType: "JSON", schema: JSON.stringify(schema) }),
  });
  assert.ok(registered.ok, await registered.text());
  const page = await openPage(browser, `${factum.url}/registry/store.orders-value?tab=check`);
  await page.getByLabel("A schema").fill(JSON.stringify(schema));
  await page.getByRole("button", { name: "Check" }).click();
  await page
    .getByRole("row", { name: /store\.top_movies view breaks it reads .*Details.*, which the schema does not have/ })
    .waitFor();
  await page.getByRole("row", { name: /mailer group/ }).waitFor();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Readers" }).click();
  await page.getByRole("list", { name: "Read by" }).getByRole("link", { name: "store.top_movies" }).waitFor();
  await closePage(page);
});

test("a mode is set, and deleted subjects are listed", async () => {
  const post = (path: string, body: object) =>
    fetch(factum.api + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  for (const subject of ["gone-value", "moded-value"]) {
    assert.ok((await post(`/subjects/${subject}/versions`, { schema: '"string"' })).ok);
  }
  assert.ok((await fetch(`${factum.api}/subjects/gone-value`, { method: "DELETE" })).ok);
  const page = await openPage(browser, `${factum.url}/registry`);
  await page.getByRole("list", { name: "Deleted subjects" }).getByText("gone-value").waitFor();
  await page.goto(`${factum.url}/registry/moded-value?tab=settings`);
  await page.getByRole("combobox", { name: "Mode" }).selectOption("READONLY");
  await page.getByText("Versions can be read alone.").waitFor();
  const mode = (await (await fetch(`${factum.api}/mode/moded-value`)).json()) as { mode: string };
  assert.equal(mode.mode, "READONLY");
  await closePage(page);
});

for (const theme of THEMES) {
  test(`the pages pass axe and fit a phone, ${theme}`, async () => {
    for (const path of ["/catalogue", "/catalogue/store.orders"]) {
      const page = await openPage(browser, factum.url + path, { theme });
      await page.getByText("A customer paid for an order of movies.").waitFor();
      await expectAccessible(page);
      await page.setViewportSize({ width: 360, height: 740 });
      assert.equal(await overflow(page), 0);
      await closePage(page);
    }
  });
}
