// Consumer groups: the list, one group with members and without, its lag, its unread messages, reset and delete.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Kafka, logLevel, type Consumer } from "kafkajs";
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

interface Committed {
  topic: string;
  partition: number;
  offset: string;
}

/** Commits offsets of a group as a tool would, without a member. */
async function commit(group: string, topic: string, to: string): Promise<void> {
  const answer = await fetch(`${factum.api}/api/v1/groups/${group}/offsets`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ topic, to, create: true }),
  });
  assert.ok(answer.ok, await answer.text());
}

async function committed(group: string): Promise<Committed[]> {
  const answer = await fetch(`${factum.api}/api/v1/groups/${group}`);
  return ((await answer.json()) as { offsets: Committed[] }).offsets;
}

/** A member of `group` that is a Kafka client of its own, in the group when this returns. */
async function join(group: string, topic: string, clientId: string): Promise<Consumer> {
  const consumer = new Kafka({ clientId, brokers: [factum.kafkaAddress], logLevel: logLevel.NOTHING }).consumer({
    groupId: group,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const joined = new Promise((done) => consumer.on(consumer.events.GROUP_JOIN, done));
  await consumer.run({ autoCommitInterval: 100, eachMessage: async () => {} });
  await joined;
  return consumer;
}

/** Sends so many events with one key, so that they are in one partition. */
async function send(topic: string, count: number): Promise<number> {
  let partition = 0;
  for (let id = 0; id < count; id += 1) {
    const sent = await factum.postRaw(topic, JSON.stringify({ id }), "application/json", { "ce-partitionkey": "one" });
    partition = sent.offsets[0]!.partition;
  }
  return partition;
}

function row(page: Page, text: string | RegExp) {
  return page.getByRole("row").filter({ hasText: text });
}

test("groups are listed, narrowed and ordered, and the address keeps it", async () => {
  await send("shop.listed", 5);
  await commit("list-done", "shop.listed", "latest");
  await commit("list-behind", "shop.listed", "earliest");
  const page = await openPage(browser, `${factum.url}/groups`);
  await row(page, "list-behind").filter({ hasText: "shop.listed" }).filter({ hasText: "5" }).waitFor();
  await page.getByRole("button", { name: "Lag" }).click();
  await page.waitForURL(/sort=lag/);
  const order = await page.getByRole("row").allTextContents();
  const at = (name: string) => order.findIndex((each) => each.includes(name));
  assert.ok(at("list-behind") < at("list-done"), order.join("\n"));
  await page.getByLabel("Find a group").fill("list-d");
  await row(page, "list-behind").waitFor({ state: "detached" });
  await page.getByLabel("State").selectOption("Empty");
  await page.reload();
  await row(page, "list-done").waitFor();
  assert.equal(await page.getByLabel("State").inputValue(), "Empty");
  await page.getByLabel("Find a group").fill("no such group");
  await page.getByText("No group is like that.").waitFor();
  await closePage(page);
});

test("a group with members shows who reads what, and cannot be changed until they are gone", async () => {
  await send("shop.members", 4);
  const consumer = await join("busy", "shop.members", "reader-1");
  const page = await openPage(browser, `${factum.url}/groups/busy`);
  await row(page, "reader-1").filter({ hasText: "shop.members/0–3" }).waitFor();
  await page.getByRole("button", { name: "Reset offsets" }).waitFor();
  await until("it has committed", async () => (await committed("busy")).length > 0);
  await page.getByRole("button", { name: "Reset offsets" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Preview" }).click();
  await dialog.getByText("The group has 1 member").waitFor();
  await dialog.getByRole("table", { name: "From where to where" }).waitFor();
  const apply = dialog.getByRole("button", { name: "Reset offsets" });
  assert.ok(await apply.isDisabled());
  await expectAccessible(page);
  await consumer.disconnect();
  await until("the dialog has noticed", async () => apply.isEnabled());
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByText("No one is in the group at this moment.").waitFor();
  await closePage(page);
});

test("a reset says from where to where before anything is moved", async () => {
  const partition = await send("shop.reset", 10);
  await commit("moved", "shop.reset", "latest");
  const of = async () => (await committed("moved")).find((each) => each.partition === partition)?.offset;
  const page = await openPage(browser, `${factum.url}/groups/moved`);
  await page.getByRole("button", { name: "Reset offsets" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("To", { exact: true }).selectOption("shift");
  await dialog.getByLabel("Events on, back if negative").fill("some");
  await dialog.getByText("a whole number, such as -100").waitFor();
  assert.ok(await dialog.getByRole("button", { name: "Preview" }).isDisabled());
  await dialog.getByLabel("Events on, back if negative").fill("-4");
  await dialog.getByLabel("Partitions").fill(`${partition}`);
  await dialog.getByRole("button", { name: "Preview" }).click();
  const preview = dialog.getByRole("row").filter({ hasText: `shop.reset/${partition}` });
  await preview.filter({ hasText: /10.*6.*-4/ }).waitFor();
  assert.equal(await of(), "10", "a preview moves nothing");
  await dialog.getByRole("button", { name: "Reset offsets" }).click();
  await dialog.getByText("The offsets are reset.").waitFor();
  assert.equal(await of(), "6");
  await dialog.getByRole("button", { name: "Done" }).click();
  await row(page, `shop.reset/${partition}`)
    .filter({ hasText: /6.*10.*4/ })
    .waitFor();
  // What is wrong is said by the server, and what was shown is of another wish.
  await page.getByRole("button", { name: "Reset offsets" }).click();
  await dialog.getByLabel("To", { exact: true }).selectOption("offset");
  await dialog.getByLabel("Offset", { exact: true }).fill("11");
  await dialog.getByLabel("Partitions").fill(`${partition}`);
  await dialog.getByRole("button", { name: "Preview" }).click();
  await dialog.getByText("It cannot be reset like that").waitFor();
  await dialog.getByLabel("Offset", { exact: true }).fill("3");
  await dialog.getByText("It cannot be reset like that").waitFor({ state: "detached" });
  assert.ok(await dialog.getByRole("button", { name: "Reset offsets" }).isDisabled());
  await closePage(page);
});

test("what a group has not read opens at the committed offset", async () => {
  const partition = await send("shop.unread", 3);
  await commit("reader", "shop.unread", "latest");
  await factum.postRaw("shop.unread", '{"id":"unread"}', "application/json", { "ce-partitionkey": "one" });
  const page = await openPage(browser, `${factum.url}/groups/reader`);
  await page.getByRole("link", { name: `Unread messages of shop.unread/${partition}` }).click();
  await page.waitForURL(/from=offset/);
  await row(page, '"unread"').waitFor();
  assert.equal(await row(page, '"id":2').count(), 0, "what was read is not shown");
  await closePage(page);
});

test("the lag of the last hour is drawn, and told as a table", async () => {
  await send("shop.lag", 3);
  await commit("behind", "shop.lag", "earliest");
  const page = await openPage(browser, `${factum.url}/groups/behind`);
  // The server samples every 15 seconds; a line has two ends.
  page.setDefaultTimeout(60_000);
  await page.getByRole("img", { name: /Lag of behind: \d+ points/ }).waitFor();
  await page.getByRole("button", { name: "Lag as a table" }).click();
  await page.getByRole("cell", { name: "3", exact: true }).first().waitFor();
  await closePage(page);
});

test("a topic names the groups that read it", async () => {
  await send("shop.consumed", 2);
  const page = await openPage(browser, `${factum.url}/topics/shop.consumed`);
  await page.getByRole("link", { name: "Consumers" }).click();
  await page.getByText("No consumer group reads this topic.").waitFor();
  await commit("eater", "shop.consumed", "earliest");
  await row(page, "eater").filter({ hasText: "2" }).waitFor();
  await page.getByRole("link", { name: "eater" }).click();
  await page.getByRole("heading", { name: "eater" }).waitFor();
  await closePage(page);
});

test("a group is deleted after a question", async () => {
  await send("shop.deleted", 1);
  await commit("doomed", "shop.deleted", "earliest");
  const page = await openPage(browser, `${factum.url}/groups/doomed`);
  await page.getByRole("button", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Keep it" }).click();
  assert.equal((await fetch(`${factum.api}/api/v1/groups/doomed`)).status, 200);
  await page.getByRole("button", { name: "Delete" }).click();
  await dialog.getByRole("button", { name: "Delete the group" }).click();
  await page.waitForURL(/\/groups$/);
  assert.equal((await fetch(`${factum.api}/api/v1/groups/doomed`)).status, 404);
  await page.goto(`${factum.url}/groups/doomed`);
  await page.getByText("There is no such group").waitFor();
  await closePage(page);
});

test("the pages of groups are accessible in both themes and fit a phone", async () => {
  await send("shop.fits", 3);
  await commit("a-group-with-quite-a-long-name-for-a-telephone", "shop.fits", "earliest");
  for (const path of [
    "/groups",
    "/groups/a-group-with-quite-a-long-name-for-a-telephone",
    "/topics/shop.fits?tab=consumers",
  ]) {
    for (const theme of THEMES) {
      const page = await openPage(browser, `${factum.url}${path}`, { theme });
      await page.getByText("a-group-with-quite-a-long-name-for-a-telephone").first().waitFor();
      await expectAccessible(page);
      await page.setViewportSize({ width: 360, height: 740 });
      assert.equal(await overflow(page), 0, path);
      await closePage(page);
    }
  }
});
