// Topics and their messages: the live tail, filters, browsing, whole messages, hostile and huge content.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import {
  closePage,
  expectAccessible,
  Factum,
  launch,
  openPage,
  overflow,
  THEMES,
  until,
  type Visit,
} from "./harness.ts";

const MIB = 1024 * 1024;

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

/** A topic's page, its tail connected. */
async function openTail(topic: string, search = "", visit: Visit = {}): Promise<Page> {
  const page = await openPage(browser, `${factum.url}/topics/${topic}${search}`, visit);
  await page
    .getByRole("status")
    .filter({ hasText: /^Live$/ })
    .waitFor();
  return page;
}

function row(page: Page, text: string | RegExp) {
  return page.getByRole("row").filter({ hasText: text });
}

test("a message posted over HTTP appears in the tail", async () => {
  await factum.post("shop.tail", { id: "before" });
  const page = await openTail("shop.tail");
  await page.getByText("Waiting for the next event.").waitFor();
  await factum.post("shop.tail", { id: "hello from curl" });
  await row(page, "hello from curl").waitFor();
  assert.equal(await row(page, '"before"').count(), 0, "the tail begins with what comes");
  await closePage(page);
});

test("a paused tail holds still, counts, and goes on", async () => {
  await factum.post("shop.pause", { id: 0 });
  const page = await openTail("shop.pause");
  await factum.post("shop.pause", { id: "first" });
  await row(page, "first").waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await factum.post("shop.pause", { id: "second" }, { id: "third" });
  await page.getByTestId("tail-count").filter({ hasText: "2 new" }).waitFor();
  assert.equal(await row(page, "second").count(), 0);
  await page.getByRole("button", { name: "Resume" }).click();
  await row(page, "second").waitFor();
  await row(page, "third").waitFor();
  await closePage(page);
});

test("filters look into keys and values, as text and as regular expression", async () => {
  await factum.post("shop.filter", { id: 0 });
  const page = await openTail("shop.filter");
  const field = page.getByLabel("Key or value has");
  await field.fill("APPLE");
  await page.waitForURL(/q=APPLE/);
  await page.getByText("Waiting for the next event.").waitFor();
  await page
    .getByRole("status")
    .filter({ hasText: /^Live$/ })
    .waitFor();
  await factum.post("shop.filter", { fruit: "pear 1" }, { fruit: "apple 2" }, { fruit: "pear 3" });
  await row(page, "apple 2").waitFor();
  assert.equal(await row(page, "pear").count(), 0);
  await page.getByRole("button", { name: "Regex" }).click();
  await field.fill("(");
  await page.getByText("This is no regular expression").waitFor();
  await expectAccessible(page);
  await field.fill("pear [13]");
  await page.getByLabel("Read").selectOption("earliest");
  await row(page, "pear 1").waitFor();
  await row(page, "pear 3").waitFor();
  assert.equal(await row(page, "apple").count(), 0);
  await closePage(page);
});

test("filters ask for fields, as numbers and as text", async () => {
  await factum.post(
    "shop.fields",
    { price: 9, name: "pear" },
    { price: 10, name: "apple" },
    { price: 11, name: "plum" },
  );
  const page = await openPage(browser, `${factum.url}/topics/shop.fields?from=earliest`);
  await row(page, "pear").waitFor();
  await page.getByRole("button", { name: "Fields" }).click();
  const field = page.getByLabel("Fields are");
  await field.fill("price >=");
  await page.getByText("This is no condition").waitFor();
  await expectAccessible(page);
  await field.fill("price >= 10 and name ~ PL");
  await row(page, "apple").waitFor();
  await row(page, "plum").waitFor();
  assert.equal(await row(page, "pear").count(), 0, "9 is less than 10, as a number");
  await page.reload();
  await row(page, "plum").waitFor();
  assert.equal(await field.inputValue(), "price >= 10 and name ~ PL");
  await closePage(page);
});

test("browsing begins at an offset, at a time, at either end, and the address keeps it", async () => {
  const key = { "ce-partitionkey": "one" };
  for (const id of ["a0", "b1", "c2"])
    await factum.postRaw("shop.browse", JSON.stringify({ id }), "application/json", key);
  const listed = (await (await fetch(`${factum.api}/api/v1/topics/shop.browse/records`)).json()) as {
    records: { partition: number; timestamp: string }[];
  };
  const { partition } = listed.records[0]!;
  const page = await openPage(browser, `${factum.url}/topics/shop.browse?from=offset&partition=${partition}&offset=1`);
  await row(page, "b1").waitFor();
  assert.equal(await row(page, "a0").count(), 0);
  await page.getByLabel("Offset", { exact: true }).fill("-1");
  await row(page, "b1").waitFor({ state: "detached" });
  await row(page, "c2").waitFor();
  await page.getByLabel("Read").selectOption("latest");
  await row(page, "a0").waitFor();
  const order = await page.getByRole("row").allTextContents();
  assert.ok(order.findIndex((each) => each.includes("c2")) < order.findIndex((each) => each.includes("a0")));
  await page.reload();
  await row(page, "a0").waitFor();
  assert.equal(await page.getByLabel("Read").inputValue(), "latest");
  await page.getByLabel("Read").selectOption("time");
  await row(page, "a0").waitFor();
  await page.goto(`${factum.url}/topics/shop.browse?from=time&at=2999-01-01T00:00:00Z`);
  await page.getByText("Nothing is stored from there on.").waitFor();
  await closePage(page);
});

test("a message opens by keyboard, whole: 64 bits, trailing zeros, headers", async () => {
  await factum.postRaw(
    "shop.detail",
    '{"id":9007199254740993,"price":12.50,"nested":{"deep":[1,2]}}',
    "application/json",
    {
      "ce-subject": "Caf%C3%A9",
    },
  );
  const page = await openPage(browser, `${factum.url}/topics/shop.detail?from=earliest`);
  await row(page, "9007199254740993").waitFor();
  await row(page, "9007199254740993").focus();
  await page.keyboard.press("Enter");
  const detail = page.getByRole("region", { name: "Message" });
  await detail.getByText("9007199254740993").waitFor();
  await detail.getByText("12.50").waitFor();
  await detail.getByText("ce_type", { exact: true }).waitFor();
  await expectAccessible(page);
  await detail.getByRole("button", { name: "Close" }).focus();
  await page.keyboard.press("Escape");
  await detail.waitFor({ state: "detached" });
  await closePage(page);
});

test("HTML in an event is text", async () => {
  const hostile = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script><b>bold</b>';
  await factum.post("shop.html", { id: 0 });
  const page = await openTail("shop.html");
  await factum.postRaw("shop.html", JSON.stringify({ [hostile]: hostile }), "application/json", {
    "ce-subject": encodeURIComponent(hostile),
    "ce-partitionkey": encodeURIComponent(hostile),
  });
  await row(page, "onerror").click();
  const detail = page.getByRole("region", { name: "Message" });
  await detail.getByText("onerror").first().waitFor();
  await detail.getByText("ce_subject", { exact: true }).waitFor();
  assert.equal(await page.locator("main img, main script, main b").count(), 0);
  assert.notEqual(await page.title(), "owned");
  await closePage(page);
});

test("a binary message is shown as bytes with its size", async () => {
  const data = Uint8Array.from({ length: 1_000 }, (_, index) => (index * 7) % 256);
  await factum.postRaw("shop.binary", data, "application/octet-stream", {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/test",
    "ce-type": "blob",
  });
  const page = await openPage(browser, `${factum.url}/topics/shop.binary?from=earliest`);
  await row(page, "binary, 1000 B").click();
  await page.getByLabel("Value in hexadecimal").filter({ hasText: "00 07 0e 15" }).waitFor();
  await page.getByRole("button", { name: /Show all 1.000 bytes/ }).click();
  await page.getByLabel("Value in hexadecimal").filter({ hasText: "0003e0" }).waitFor();
  await expectAccessible(page);
  await closePage(page);
});

test("a message of nearly 1 MiB is cut until asked for", async () => {
  const text = `${"wide ".repeat((MIB - 100_000) / 5)}END`;
  await factum.post("shop.large", { id: 0 });
  const page = await openTail("shop.large");
  await factum.post("shop.large", { text });
  await row(page, "wide wide").click();
  const detail = page.getByRole("region", { name: "Message" });
  await detail.getByRole("button", { name: /Show all .* characters/ }).waitFor();
  assert.ok(((await detail.textContent()) ?? "").length < 50_000);
  await detail.getByRole("button", { name: "As text" }).click();
  await detail.getByRole("button", { name: /Show all .* characters/ }).click();
  await until("the end is shown", async () =>
    ((await detail.getByTestId("value-text").textContent()) ?? "").includes("END"),
  );
  await closePage(page);
});

test("an unknown topic says what to do", async () => {
  const page = await openPage(browser, `${factum.url}/topics/store.order`);
  await page.getByText("There is no such topic").waitFor();
  await page.getByText("store.orders", { exact: true }).waitFor();
  await expectAccessible(page);
  await closePage(page);
});

test("the tail goes on after the server was away, without a loss", async () => {
  await factum.post("shop.away", { id: 0 });
  const page = await openTail("shop.away");
  await factum.post("shop.away", { id: "one" });
  await row(page, "one").waitFor();
  await factum.kill();
  await page.getByText("The server is gone; trying again.").waitFor();
  await factum.up();
  await factum.post("shop.away", { id: "two" });
  await row(page, "two").waitFor();
  assert.equal(await row(page, "one").count(), 1, "nothing comes twice");
  await closePage(page);
});

for (const theme of THEMES) {
  test(`axe finds nothing on topics, ${theme}, wide and narrow`, async () => {
    await factum.post("shop.axe", { id: 1 }, { id: 2 });
    for (const width of [1280, 360]) {
      const visit = { theme, viewport: { width, height: 800 } };
      const page = await openPage(browser, `${factum.url}/topics`, visit);
      await page.getByRole("link", { name: "shop.axe" }).waitFor();
      await check(page);
      for (const [search, sign] of [
        ["", "Waiting for the next event."],
        ["?from=earliest", '{"id":2}'],
        ["?tab=config", "max_message_bytes"],
      ] as const) {
        await page.goto(`${factum.url}/topics/shop.axe${search}`);
        await page.getByText(sign).first().waitFor();
        await check(page);
      }
      await closePage(page);
    }
  });
}

async function check(page: Page): Promise<void> {
  await expectAccessible(page);
  assert.equal(await overflow(page), 0, `nothing sticks out of ${page.url()}`);
}
