// Schemas: the list, a subject's versions, two of them side by side, a check in words, the level, deletion.
import assert from "node:assert/strict";
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

const field = (name: string, type: string, more: object = {}) => ({ name, type, ...more });
const record = (...fields: object[]) => JSON.stringify({ type: "record", name: "Order", fields });

const ORDER = record(field("id", "long"));
const WITH_TOTAL = record(field("id", "long"), field("total", "double", { default: 0 }));
const INCOMPATIBLE = record(field("id", "string"), field("email", "string"));

/** Registers a schema; gives its id. */
async function register(subject: string, schema: string, more: object = {}): Promise<number> {
  const answer = await fetch(`${factum.api}/subjects/${encodeURIComponent(subject)}/versions`, {
    method: "POST",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify({ schema, ...more }),
  });
  assert.ok(answer.ok, await answer.clone().text());
  return ((await answer.json()) as { id: number }).id;
}

async function json(path: string): Promise<unknown> {
  return (await fetch(factum.api + path)).json();
}

function row(page: Page, text: string | RegExp) {
  return page.getByRole("row").filter({ hasText: text });
}

test("subjects are listed with their format, versions and level, and found by name", async () => {
  await register("listed.orders-value", ORDER);
  await register("listed.orders-value", WITH_TOTAL);
  await register(":.staging:listed.refunds-value", ORDER);
  const page = await openPage(browser, `${factum.url}/registry`);
  await row(page, "listed.orders-value")
    .filter({ hasText: /Avro.*BACKWARD\s*2/ })
    .waitFor();
  await row(page, ":.staging:listed.refunds-value").waitFor();
  await page.getByLabel("Find a subject").fill("REFUNDS");
  await row(page, "listed.orders-value").waitFor({ state: "detached" });
  await page.waitForURL(/q=REFUNDS/);
  await page.reload();
  await page.getByRole("link", { name: ":.staging:listed.refunds-value" }).click();
  await page.getByRole("heading", { level: 1, name: ":.staging:listed.refunds-value" }).waitFor();
  await page.getByLabel("Schema of version 1").getByText('"Order"').waitFor();
  await page.goto(`${factum.url}/registry?q=none-like-this`);
  await page.getByText("No subject has “none-like-this” in its name.").waitFor();
  await page.goto(`${factum.url}/registry/none-like-this`);
  await page.getByText("There is no such subject").waitFor();
  await closePage(page);
});

test("a version is shown on lines of its own, copied, and leads to what it refers to", async () => {
  const money = JSON.stringify({ type: "record", name: "Money", fields: [field("cents", "long")] });
  await register("read.money-value", money);
  await register("read.orders-value", record(field("total", "Money")), {
    references: [{ name: "Money", subject: "read.money-value", version: 1 }],
  });
  const page = await openPage(browser, `${factum.url}/registry/read.orders-value`);
  const text = page.getByLabel("Schema of version 1");
  await text.getByText('"total"').waitFor();
  assert.match((await text.textContent()) ?? "", /^\{\n {2}"type": "record",\n/);
  await page.getByRole("button", { name: "Copy the schema" }).click();
  await page.getByText("Copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await text.textContent());
  await page.getByRole("link", { name: "read.money-value version 1" }).click();
  await page.getByText("Referred to by").waitFor();
  await page.getByRole("link", { name: "read.orders-value version 1" }).waitFor();
  await closePage(page);
});

test("two versions stand side by side, and the address keeps which", async () => {
  await register("compared-value", ORDER);
  await register("compared-value", WITH_TOTAL);
  await register("compared-value", record(field("id", "long"), field("sum", "double", { default: 0 })));
  const page = await openPage(browser, `${factum.url}/registry/compared-value`);
  await page.getByRole("link", { name: "Compare" }).click();
  const table = page.getByRole("table", { name: "Version 2 beside version 3" });
  await table
    .getByRole("row")
    .filter({ hasText: /removed: .*"total".*added: .*"sum"/ })
    .waitFor();
  await page.getByText("1 line differs").waitFor();
  await page.getByLabel("Old").selectOption("1");
  await page.waitForURL(/from=1/);
  await page.reload();
  await page.getByRole("table", { name: "Version 1 beside version 3" }).getByText('"sum"').waitFor();
  await page.getByLabel("New").selectOption("1");
  await page.getByText("the same text").waitFor();
  await closePage(page);
});

test("a schema that is pasted is judged in words, each reason with its path, and nothing is registered", async () => {
  await register("checked-value", ORDER);
  const page = await openPage(browser, `${factum.url}/registry/checked-value?tab=check`);
  const check = page.getByRole("button", { name: "Check" });
  assert.ok(await check.isDisabled());
  await page.getByLabel("A schema").fill(WITH_TOTAL);
  await check.click();
  await page.getByText("Compatible", { exact: true }).waitFor();
  await page.getByLabel("A schema").fill(INCOMPATIBLE);
  await page.getByText("Compatible", { exact: true }).waitFor({ state: "detached" });
  await check.click();
  await page.getByText("for 2 reasons").waitFor();
  await row(page, "/fields/0/type").filter({ hasText: "TYPE_MISMATCH" }).waitFor();
  await row(page, "/fields/1").filter({ hasText: "READER_FIELD_MISSING_DEFAULT_VALUE" }).waitFor();
  await expectAccessible(page);
  await page.getByLabel("Against").selectOption("1");
  await page.getByLabel("A schema").fill("{");
  await check.click();
  await page.getByText("Invalid schema").waitFor();
  assert.deepEqual(await json("/subjects/checked-value/versions"), [1]);
  await closePage(page);
});

test("the level is set for a subject, and taken back", async () => {
  await register("level-value", ORDER);
  const page = await openPage(browser, `${factum.url}/registry/level-value?tab=settings`);
  await page.getByText("as it is for all subjects, or its context").waitFor();
  assert.ok(await page.getByLabel("Backward", { exact: false }).first().isChecked());
  await page.getByRole("radio", { name: /^Full, all versions/ }).check();
  await page.getByRole("button", { name: "Set for this subject" }).click();
  await page.getByText("It is FULL_TRANSITIVE now.").waitFor();
  await page.getByText("set for this subject", { exact: true }).waitFor();
  assert.deepEqual(await json("/config/level-value"), { compatibilityLevel: "FULL_TRANSITIVE" });
  await page.getByRole("button", { name: "As for all subjects" }).click();
  await page.getByText("It is BACKWARD now.").waitFor();
  assert.ok(await page.getByRole("radio", { name: /^Backward A new/ }).isChecked());
  await closePage(page);
});

test("a version and a subject are deleted once the name is typed", async () => {
  const id = await register("deleted-value", record(field("of_no_other_subject", "long")));
  await register("deleted-value", record());
  const page = await openPage(browser, `${factum.url}/registry/deleted-value?tab=settings`);
  await page.getByRole("button", { name: "Delete …" }).click();
  const dialog = page.getByRole("dialog");
  const confirm = dialog.getByRole("button", { name: "Delete", exact: true });
  assert.ok(await confirm.isDisabled());
  await dialog.getByLabel("What").selectOption("2");
  await dialog.getByLabel("The name of the subject, to confirm").fill("deleted-value");
  await confirm.click();
  await page.getByLabel("Schema of version 1").waitFor();
  assert.deepEqual(await json("/subjects/deleted-value/versions"), [1]);
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Delete …" }).click();
  await dialog.getByLabel("For good").check();
  await dialog.getByText("This cannot be undone").waitFor();
  await expectAccessible(page);
  await dialog.getByLabel("The name of the subject, to confirm").fill("deleted-value");
  await confirm.click();
  await page.waitForURL(/\/registry$/);
  await until("it is gone for good", async () => {
    const left = (await json("/subjects?deleted=true")) as string[];
    return !left.includes("deleted-value");
  });
  assert.equal(((await json(`/schemas/ids/${id}`)) as { error_code?: number }).error_code, 40403);
  await closePage(page);
});

test("what is referred to says why it is not deleted", async () => {
  await register("held.money-value", JSON.stringify({ type: "record", name: "Cents", fields: [field("n", "long")] }));
  await register("held.orders-value", record(field("total", "Cents")), {
    references: [{ name: "Cents", subject: "held.money-value", version: 1 }],
  });
  const page = await openPage(browser, `${factum.url}/registry/held.money-value?tab=settings`);
  await page.getByRole("button", { name: "Delete …" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("The name of the subject, to confirm").fill("held.money-value");
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await dialog.getByText("It was not deleted").waitFor();
  await dialog.getByText("references exist").waitFor();
  await closePage(page);
});

test("a topic leads to the schema of its values, and back", async () => {
  await factum.post("shop.linked", { id: 1 });
  await register("shop.linked-value", ORDER);
  await register("shop.linked-key", '"string"');
  const page = await openPage(browser, `${factum.url}/topics/shop.linked`);
  await page.getByRole("link", { name: "key schema, version 1" }).waitFor();
  await page.getByRole("link", { name: "value schema, version 1" }).click();
  await page.getByRole("heading", { level: 1, name: "shop.linked-value" }).waitFor();
  await page.getByRole("link", { name: "shop.linked", exact: true }).click();
  await page.waitForURL(/\/topics\/shop\.linked/);
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder(/^Go to/).fill("schemas linked-key");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "shop.linked-key" }).waitFor();
  await closePage(page);
});

test("the pages of schemas are accessible in both themes and fit a phone", async () => {
  const subject = "a-team.a-topic-with-quite-a-long-name-for-a-telephone-value";
  await register(subject, ORDER);
  await register(subject, record(field("id", "long"), field("n".repeat(80), "double", { default: 0 })));
  const name = `/registry/${subject}`;
  for (const path of ["/registry", name, `${name}?tab=compare`, `${name}?tab=check`, `${name}?tab=settings`]) {
    for (const theme of THEMES) {
      const page = await openPage(browser, `${factum.url}${path}`, { theme });
      await page.getByRole("main").getByText(subject).first().waitFor();
      if (path.endsWith("compare")) await page.getByRole("table").waitFor();
      await expectAccessible(page);
      await page.setViewportSize({ width: 360, height: 740 });
      assert.equal(await overflow(page), 0, path);
      await closePage(page);
    }
  }
});
