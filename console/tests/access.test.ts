// Users, rules and quotas: created, shown and deleted in the console, and what the server then says of them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { closePage, expectAccessible, Factum, launch, openPage, overflow, THEMES } from "./harness.ts";

const ADMIN = { username: "admin", password: "a password for tests" };

let open: Factum;
let guarded: Factum;
let browser: Browser;

before(async () => {
  open = await Factum.start({ project: null });
  guarded = await Factum.start({
    project: null,
    environment: { FACTUM__ACCESS__MODE: "acl", FACTUM_ADMIN_PASSWORD: ADMIN.password },
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await open?.stop();
  await guarded?.stop();
});

function row(page: Page, text: string | RegExp) {
  return page.getByRole("row").filter({ hasText: text });
}

async function get(path: string, user = ADMIN): Promise<Response> {
  const login = Buffer.from(`${user.username}:${user.password}`).toString("base64");
  return fetch(`${guarded.api}${path}`, { headers: { authorization: `Basic ${login}` } });
}

test("a user is created, logs in, gets another password, and is deleted", async () => {
  const page = await openPage(browser, `${guarded.url}/access`, { httpCredentials: ADMIN });
  await row(page, "admin").filter({ hasText: "SCRAM-SHA-512" }).waitFor();
  await page.getByRole("button", { name: "Create a user" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("ann");
  await dialog.getByLabel("Password").fill("short");
  await dialog.getByText("at least 8 bytes").waitFor();
  assert.ok(await dialog.getByRole("button", { name: "Create" }).isDisabled());
  await dialog.getByLabel("Password").fill("the first password");
  assert.equal(await dialog.getByLabel("Password").getAttribute("type"), "password");
  await dialog.getByRole("button", { name: "Create" }).click();
  await row(page, "ann").waitFor();
  // It may log in, and may do nothing yet.
  assert.equal((await get("/api/v1/users", { username: "ann", password: "the first password" })).status, 403);

  await page.getByRole("button", { name: "Set the password of ann" }).click();
  await dialog.getByLabel("Password").fill("the second password");
  await dialog.getByRole("button", { name: "Set the password" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.equal((await get("/api/v1/users", { username: "ann", password: "the first password" })).status, 401);
  assert.equal((await get("/api/v1/users", { username: "ann", password: "the second password" })).status, 403);

  await page.getByRole("button", { name: "Delete user ann" }).click();
  await dialog.getByText("Its rules and quotas stay").waitFor();
  await dialog.getByRole("button", { name: "Keep it" }).click();
  assert.equal((await get("/api/v1/users/ann")).status, 200);
  await page.getByRole("button", { name: "Delete user ann" }).click();
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await row(page, "ann").waitFor({ state: "detached" });
  assert.equal((await get("/api/v1/users/ann")).status, 404);
  await closePage(page);
});

test("a rule is added and deleted, and what is wrong with one is said", async () => {
  const page = await openPage(browser, `${guarded.url}/access?tab=rules`, { httpCredentials: ADMIN });
  await page.getByText("No rules yet.").waitFor();
  await page.getByRole("button", { name: "Add a rule" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Principal").fill("bob");
  await dialog.getByLabel("Named").selectOption("prefixed");
  await dialog.getByLabel("Name", { exact: true }).fill("store.");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await dialog.getByText("The rule was not added").waitFor();
  await dialog.getByLabel("Principal").fill("User:bob");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  const rule = row(page, "User:bob").filter({ hasText: "every topic that begins with store." });
  await rule.waitFor();

  await page.getByRole("button", { name: "Add a rule" }).click();
  await dialog.getByLabel("Principal").fill("User:*");
  await dialog.getByLabel("May it?").selectOption("deny");
  await dialog.getByLabel("With").selectOption("group");
  await dialog.getByLabel("Operation").selectOption("all");
  await dialog.getByLabel("Name", { exact: true }).fill("private");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await row(page, "User:*").filter({ hasText: "not do anything" }).filter({ hasText: "group private" }).waitFor();
  await page.getByLabel("Find a rule").fill("bob");
  await row(page, "User:*").waitFor({ state: "detached" });
  await page.reload();
  await rule.waitFor();

  await rule.getByRole("button").click();
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("No rule names that.").waitFor();
  const left = (await (await get("/api/v1/acls")).json()) as { acls: { principal: string }[] };
  assert.deepEqual(
    left.acls.map((each) => each.principal),
    ["User:*"],
  );
  await closePage(page);
});

test("quotas are set, changed and deleted", async () => {
  const page = await openPage(browser, `${open.url}/access?tab=quotas`);
  await page.getByText("No quotas yet.").waitFor();
  await page.getByRole("button", { name: "Set a quota" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Of", { exact: true }).selectOption("both");
  await dialog.getByLabel("User").fill("ann");
  await dialog.getByLabel("Bytes produced in a second").fill("none");
  await dialog.getByText("a number above 0").waitFor();
  await dialog.getByLabel("Bytes produced in a second").fill("1048576");
  await dialog.getByRole("button", { name: "Set", exact: true }).click();
  const quota = row(page, "user ann with every client id");
  await quota.filter({ hasText: "1.0 MiB produced in a second" }).waitFor();

  await page.getByRole("button", { name: "Set the quota of user ann with every client id" }).click();
  await dialog.getByLabel("Per cent of one processor").fill("50");
  await dialog.getByLabel("Bytes produced in a second").fill("");
  await dialog.getByRole("button", { name: "Set", exact: true }).click();
  await quota.filter({ hasText: "50 % of one processor" }).waitFor();
  const { quotas } = (await (await fetch(`${open.api}/api/v1/quotas`)).json()) as { quotas: { limits: unknown }[] };
  assert.deepEqual(
    quotas.map((each) => each.limits),
    [{ request_percentage: 50 }],
  );

  await page.getByRole("button", { name: "Delete the quota of user ann with every client id" }).click();
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("No quotas yet.").waitFor();
  await closePage(page);
});

test("a server whose listeners go by no rules says so", async () => {
  const page = await openPage(browser, `${open.url}/access`);
  await page.getByText("No users yet.").waitFor();
  await page.getByRole("link", { name: "Rules" }).click();
  await page.getByText("No listener goes by rules.").waitFor();
  await expectAccessible(page);
  await closePage(page);
});

test("the page of access is accessible in both themes and fits a phone", async () => {
  const long = "a-user-with-quite-a-long-name-for-a-telephone@example.com";
  const send = (path: string, body: unknown) =>
    fetch(`${guarded.api}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Basic ${Buffer.from(`${ADMIN.username}:${ADMIN.password}`).toString("base64")}`,
      },
      body: JSON.stringify(body),
    });
  assert.equal((await send("/api/v1/users", { name: long, password: "a long enough one" })).status, 201);
  const rule = { resource_type: "topic", name: "store.", pattern_type: "prefixed", operation: "describe_configs" };
  assert.equal((await send("/api/v1/acls", { acls: [{ ...rule, principal: `User:${long}` }] })).status, 201);
  const entity = [{ type: "user", name: long }];
  const limits = { producer_byte_rate: 1_048_576, controller_mutation_rate: 10 };
  assert.equal((await send("/api/v1/quotas", { quotas: [{ entity, limits }] })).status, 200);
  for (const path of ["/access", "/access?tab=rules", "/access?tab=quotas"]) {
    for (const theme of THEMES) {
      const page = await openPage(browser, `${guarded.url}${path}`, { theme, httpCredentials: ADMIN });
      await page.getByText(long).first().waitFor();
      await expectAccessible(page);
      await page.setViewportSize({ width: 360, height: 740 });
      assert.equal(await overflow(page), 0, path);
      await closePage(page);
    }
  }
});
