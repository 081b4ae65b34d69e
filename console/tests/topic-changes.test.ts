// What the console changes: topics are created, set and deleted; events are sent, sent again, and taken away as files.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { closePage, expectAccessible, Factum, launch, openPage, overflow, THEMES, until } from "./harness.ts";

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

interface Topic {
  partitions: unknown[];
  config: Record<string, string>;
}

interface Stored {
  key: string | null;
  value: unknown;
  headers: { key: string; value: string }[];
}

async function topic(name: string): Promise<Topic | null> {
  const answer = await fetch(`${factum.api}/api/v1/topics/${name}`);
  return answer.ok ? ((await answer.json()) as Topic) : null;
}

async function records(name: string): Promise<Stored[]> {
  const answer = await fetch(`${factum.api}/api/v1/topics/${name}/records`);
  return ((await answer.json()) as { records: Stored[] }).records;
}

function row(page: Page, text: string | RegExp) {
  return page.getByRole("row").filter({ hasText: text });
}

test("a topic is created, set, and deleted by its name", async () => {
  const page = await openPage(browser, `${factum.url}/topics`);
  await page.getByRole("button", { name: "Create a topic" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("shop.made");
  await dialog.getByLabel("Partitions").fill("two");
  await dialog.getByText("a whole number").waitFor();
  await dialog.getByLabel("Partitions").fill("2");
  await dialog.getByLabel("Kept for").fill("soon");
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText("The topic was not created").waitFor();
  await dialog.getByLabel("Kept for").fill("3d");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.waitForURL(/\/topics\/shop\.made/);
  const made = await topic("shop.made");
  assert.equal(made?.partitions.length, 2);
  assert.equal(made?.config.retention, "3d");

  await page.getByRole("link", { name: "Configuration" }).click();
  await page.getByLabel("Setting", { exact: true }).selectOption("cleanup_policy");
  await page.getByLabel("Value", { exact: true }).fill("sometimes");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await page.getByText("The setting was not changed").waitFor();
  await page.getByLabel("Value", { exact: true }).fill("compact");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await page.getByText("cleanup_policy is compact now.").waitFor();
  assert.equal((await topic("shop.made"))?.config.cleanup_policy, "compact");
  await page.getByRole("button", { name: "Default", exact: true }).click();
  await page.getByText("cleanup_policy is the server's default now.").waitFor();
  assert.equal((await topic("shop.made"))?.config.cleanup_policy, undefined);

  await page.getByRole("button", { name: "Delete …" }).click();
  const confirm = dialog.getByRole("button", { name: "Delete the topic" });
  await dialog.getByLabel("Its name, to confirm").fill("shop.mad");
  assert.ok(await confirm.isDisabled());
  await dialog.getByLabel("Its name, to confirm").fill("shop.made");
  await confirm.click();
  await page.waitForURL(/\/topics$/);
  assert.equal(await topic("shop.made"), null);
  await closePage(page);
});

test("an event is sent with an example that its contract takes, and refused where it is none", async () => {
  const page = await openPage(browser, `${factum.url}/topics/store.orders`);
  await page.getByRole("button", { name: "Send an event" }).click();
  const dialog = page.getByRole("dialog");
  const data = dialog.getByLabel("Data, as JSON");
  await data.waitFor();
  const example = JSON.parse(await data.inputValue()) as Record<string, unknown>;
  await data.fill("{");
  await dialog.getByText("JSON ends").waitFor();
  assert.ok(await dialog.getByRole("button", { name: "Send" }).isDisabled());
  await data.fill("{}");
  await dialog.getByRole("button", { name: "Send" }).click();
  await dialog.getByText("The event was not stored").waitFor();
  // A number keeps the digits that were typed.
  await data.fill(JSON.stringify({ ...example, Total: 1 }).replace('"Total":1', '"Total":12.50'));
  await dialog.getByRole("button", { name: "Send" }).click();
  await dialog.getByText("Stored.").waitFor();
  await expectAccessible(page);
  const body = await (await fetch(`${factum.api}/api/v1/topics/store.orders/records`)).text();
  assert.ok(body.includes('"Total":12.50'), body);
  await dialog.getByRole("link", { name: /Partition \d, offset 0/ }).click();
  await page.getByRole("region", { name: "Message" }).getByText("12.50").waitFor();
  await closePage(page);
});

test("a key that is no plain ASCII comes to the record", async () => {
  await factum.post("shop.keyed", { id: 0 });
  const page = await openPage(browser, `${factum.url}/topics/shop.keyed`);
  await page.getByRole("button", { name: "Send an event" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Key").fill("Café 100%");
  await dialog.getByRole("button", { name: "Send" }).click();
  await dialog.getByText("Stored.").waitFor();
  assert.ok((await records("shop.keyed")).some((each) => each.key === "Café 100%"));
  await closePage(page);
});

test("a message is sent again as it is, to its topic or another", async () => {
  const key = { "ce-partitionkey": "ann" };
  const sent = await factum.postRaw("shop.dead", '{"n": 1.10}', "application/json", key);
  await factum.post("shop.alive", { id: 0 });
  const { partition, offset } = sent.offsets[0]!;
  const page = await openPage(browser, `${factum.url}/topics/shop.dead?from=earliest&message=${partition}:${offset}`);
  await page.getByRole("button", { name: "Send again" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("To").selectOption("shop.alive");
  await dialog.getByRole("button", { name: "Send again" }).click();
  await dialog.getByText("Stored.").waitFor();
  const copy = (await records("shop.alive")).find((each) => each.key === "ann");
  const [original] = await records("shop.dead");
  assert.deepEqual(copy?.headers, original?.headers);
  assert.deepEqual(copy?.value, original?.value);
  await dialog.getByRole("link", { name: /^Partition/ }).click();
  await page.waitForURL(/shop\.alive/);
  await closePage(page);
});

test("messages are exported whole, filtered and with every digit", async () => {
  const events = Array.from({ length: 250 }, (_, id) => `{"id":${id},"price":1.10,"text":"a \\"b\\", c"}`);
  await factum.postRaw("shop.export", events.join("\n"), "application/x-ndjson");
  const page = await openPage(browser, `${factum.url}/topics/shop.export?from=earliest`);
  const take = async (format: string) => {
    await page.getByRole("button", { name: "Export" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("As").selectOption(format);
    const download = page.waitForEvent("download");
    await dialog.getByRole("button", { name: "Export" }).click();
    const file = await download;
    assert.equal(file.suggestedFilename(), `shop.export.${format}`);
    await dialog.getByRole("button", { name: "Done" }).click();
    return readFileSync(await file.path(), "utf8");
  };
  const lines = (await take("ndjson")).trimEnd().split("\n");
  assert.equal(lines.length, 250);
  assert.ok(lines.every((each) => each.includes('"price":1.10') && JSON.parse(each)));
  await page.getByLabel("Key or value has").fill('"id":24');
  await row(page, '"id":249').waitFor();
  await row(page, '"id":1,').waitFor({ state: "detached" });
  const csv = (await take("csv")).trimEnd().split("\r\n");
  assert.equal(csv[0], "partition,offset,timestamp,key,value");
  assert.equal(csv.length, 1 + 11, "24 and 240 to 249");
  assert.ok(csv[1]?.endsWith('""price"":1.10,""text"":""a \\""b\\"", c""}"'), csv[1]);
  await closePage(page);
});

test("the dialogs of topics are accessible in both themes and fit a phone", async () => {
  await factum.post("shop.dialogs", { id: 0 });
  for (const theme of THEMES) {
    const page = await openPage(browser, `${factum.url}/topics/shop.dialogs?tab=config`, { theme });
    await page.getByLabel("Setting", { exact: true }).waitFor();
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await until("it fits", async () => (await overflow(page)) === 0);
    for (const opens of ["Delete …", "Send an event"]) {
      await page.getByRole("button", { name: opens }).click();
      await page.getByRole("dialog").getByRole("textbox").first().waitFor();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    }
    await closePage(page);
  }
});
