// Every page as a reader meets it, with orders coming in: in both themes, on a desk and on a phone. Nothing sticks out
// of the window, nothing is cut off without saying so, the browser has nothing to complain of.
//
//   FACTUM_SCREENSHOTS   where the pictures go; else tests/screenshots, which git does not see: they are for eyes
//   UPDATE_IMAGES        if set, the README's picture is taken again as well
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { closePage, Factum, launch, openPage, overflow, THEMES, until, type Theme } from "./harness.ts";

const SCREENSHOTS = process.env.FACTUM_SCREENSHOTS ?? join(import.meta.dirname, "screenshots");
const PICTURE = resolve(import.meta.dirname, "../../docs/images/dashboard.png");
/** What the README's picture may weigh. */
const PICTURE_BYTES = 250_000;
const HOUR = 3_600_000;

const WINDOWS = { desk: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } };

interface Place {
  name: string;
  path: string;
  /** Waits until what the page is about is there. */
  ready: (page: Page) => Promise<void>;
  /** An answer of the server that is an error on purpose; the browser says so on its console. */
  refused?: string;
}

const BROKEN = "SELECT title, sum(sold) AS copies\nFROM store.top_moviez\nGROUP BY title";
const SOUND = "SELECT category, sold, revenue\nFROM store.popular_categories\nORDER BY revenue DESC LIMIT 12";

const PLACES: Place[] = [
  { name: "home", path: "/", ready: moves },
  { name: "topics", path: "/topics", ready: linked("store.orders") },
  { name: "topic", path: "/topics/store.orders", ready: row("Messages") },
  { name: "message", path: "/topics/store.orders?from=earliest&message=0:1", ready: message },
  { name: "configuration", path: "/topics/store.orders?tab=config", ready: text("how long events are kept") },
  { name: "consumers", path: "/topics/store.orders?tab=consumers", ready: linked("mailer") },
  { name: "catalogue", path: "/catalogue", ready: linked("store.orders") },
  { name: "event", path: "/catalogue/store.orders", ready: text("store.top_movies") },
  { name: "schemas", path: "/registry", ready: linked("store.orders-value") },
  { name: "schema", path: "/registry/store.orders-value", ready: text("OrderDate") },
  { name: "schemas-compared", path: "/registry/store.orders-value?tab=compare", ready: text("Region") },
  { name: "schema-check", path: "/registry/store.orders-value?tab=check", ready: text("A schema") },
  { name: "schema-settings", path: "/registry/store.orders-value?tab=settings", ready: text("Compatibility level") },
  { name: "groups", path: "/groups", ready: linked("mailer") },
  { name: "group", path: "/groups/mailer", ready: linked("store.orders/3") },
  { name: "views", path: "/views", ready: linked("store.top_movies") },
  { name: "view", path: "/views/store.popular_categories", ready: row("Rows of store.popular_categories") },
  { name: "view-chart", path: "/views/store.orders_per_minute?show=chart", ready: drawn },
  { name: "dashboards", path: "/dashboards", ready: linked("Contoso Movies, live") },
  { name: "dashboard", path: "/dashboards/store.movies", ready: dashboard },
  { name: "sql", path: "/sql", ready: text("Try one of these") },
  { name: "sql-result", path: asking(SOUND), ready: row("Rows of the answer") },
  { name: "sql-error", path: asking(BROKEN), ready: text("top_moviez"), refused: "/api/v1/sql" },
  { name: "pipelines", path: "/pipelines", ready: linked("store.top_movies") },
  { name: "pipeline", path: "/pipelines/store.orders_per_minute", ready: text("TUMBLE") },
];

let factum: Factum;
let browser: Browser;

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  factum = await Factum.start({ flags: ["--generate"] });
  browser = await launch();
  // Slow enough for an hour of it to be made at once.
  const feed = join(factum.project, "teams/store/feeds/orders.yaml");
  writeFileSync(feed, readFileSync(feed, "utf8").replace("rate: 20/s", "rate: 5/s"));
  // As if it had run for an hour already.
  await factum.generate(10_000, new Date(Date.now() - HOUR), new Date());
  await registerOrders();
  await fetch(`${factum.api}/api/v1/groups/mailer/offsets`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ topic: "store.orders", to: "10m ago", create: true }),
  });
});
after(async () => {
  await browser?.close();
  await factum?.stop();
});

for (const [window, viewport] of Object.entries(WINDOWS)) {
  for (const theme of THEMES) {
    for (const place of PLACES) {
      test(`${place.name}, ${theme}, on a ${window}`, async () => {
        const { page, complaints } = await visit(place, theme, viewport);
        await stretch(page);
        await page.screenshot({ path: join(SCREENSHOTS, `${place.name}-${theme}-${window}.png`), fullPage: true });
        await until("nothing sticks out", async () => (await overflow(page)) === 0, 5);
        assert.deepEqual(await clipped(page), [], "text that is cut off");
        assert.deepEqual(complaints, [], "the browser's console");
        await closePage(page);
      });
    }
  }
}

if (process.env.UPDATE_IMAGES) {
  test("the README's picture is taken", async () => {
    const quiet = await Factum.start();
    // Whole minutes, and no orders while it is taken: the newest minute is not cut short.
    const end = Math.floor(Date.now() / 60_000) * 60_000;
    await quiet.generate(30_000, new Date(Math.min(end - HOUR, new Date().setUTCHours(0, 0, 0, 0))), new Date(end));
    const page = await openPage(browser, `${quiet.url}/dashboards/store.movies`, { viewport: WINDOWS.desk });
    await dashboard(page);
    mkdirSync(resolve(PICTURE, ".."), { recursive: true });
    await stretch(page);
    await page.screenshot({ path: PICTURE, fullPage: true });
    await closePage(page);
    await quiet.stop();
    assert.ok(statSync(PICTURE).size <= PICTURE_BYTES, `${statSync(PICTURE).size} bytes`);
  });
}

/** Two versions of a schema, as those who write orders in Avro would have them. */
async function registerOrders(): Promise<void> {
  const first = [
    { name: "OrderDate", type: { type: "long", logicalType: "timestamp-millis" } },
    { name: "Email", type: "string" },
    { name: "Total", type: { type: "bytes", logicalType: "decimal", precision: 10, scale: 2 } },
  ];
  for (const more of [[], [{ name: "Region", type: ["null", "string"], default: null, doc: "Where it is sent to." }]]) {
    const schema = { type: "record", name: "Order", namespace: "contoso.store", fields: [...first, ...more] };
    const answer = await fetch(`${factum.api}/subjects/store.orders-value/versions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ schema: JSON.stringify(schema) }),
    });
    assert.ok(answer.ok, await answer.text());
  }
}

async function visit(place: Place, theme: Theme, viewport: { width: number; height: number }) {
  const page = await openPage(browser, "about:blank", { theme, viewport });
  const complaints: string[] = [];
  page.on("console", (said) => {
    const onPurpose = place.refused && said.location().url.includes(place.refused);
    if (["error", "warning"].includes(said.type()) && !onPurpose) complaints.push(said.text());
  });
  await page.goto(factum.url + place.path);
  await place.ready(page);
  await page.evaluate(() => document.fonts.ready);
  return { page, complaints };
}

/** As high a window as the page wants: what is as high as the window, such as the column of links, is so in the picture. */
async function stretch(page: Page): Promise<void> {
  // A table may be as high as a part of the window, so that the page grows with it once more.
  for (let round = 0; round < 3; round += 1) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width: page.viewportSize()!.width, height });
  }
}

/** Elements that cut their text off and do not say so by an ellipsis. */
async function clipped(page: Page): Promise<string[]> {
  return page.locator("body *").evaluateAll((elements) =>
    elements.flatMap((element) => {
      const { overflowX, overflowY, textOverflow } = getComputedStyle(element);
      const said = (element as HTMLElement).innerText?.trim();
      const seen = element.clientWidth > 1 && element.clientHeight > 1 && element.checkVisibility();
      if (!seen || !said || textOverflow === "ellipsis") return [];
      const wide = ["hidden", "clip"].includes(overflowX) && element.scrollWidth > element.clientWidth;
      const high = ["hidden", "clip"].includes(overflowY) && element.scrollHeight > element.clientHeight + 1;
      return wide || high ? [`<${element.localName} class="${element.className}"> ${said.slice(0, 60)}`] : [];
    }),
  );
}

function asking(query: string): string {
  return `/sql?q=${encodeURIComponent(query)}`;
}

function linked(name: string) {
  return (page: Page) => page.getByRole("main").getByRole("link", { name }).first().waitFor();
}

function text(words: string) {
  return (page: Page) => page.getByRole("main").getByText(words).first().waitFor();
}

/** A table of this name has a row. */
function row(label: string) {
  return (page: Page) => page.getByLabel(label).first().locator("[data-index]").first().waitFor();
}

/** Long enough for a line of some points. */
async function moves(page: Page): Promise<void> {
  await page.getByTestId("events-per-second").filter({ hasText: /[1-9]/ }).waitFor();
  await until(
    "the line has begun",
    async () => ((await page.locator("polyline").first().getAttribute("points")) ?? "").split(" ").length >= 4,
  );
}

async function message(page: Page): Promise<void> {
  await page.getByRole("region", { name: "Message" }).getByText("PaymentTransactionId").waitFor();
}

async function drawn(page: Page): Promise<void> {
  await page.locator(".uplot canvas").first().waitFor();
}

async function dashboard(page: Page): Promise<void> {
  await drawn(page);
  await page.getByRole("region", { name: "Top ten films of all time" }).getByRole("listitem").nth(9).waitFor();
  await page.getByRole("region", { name: "What each shelf brought in" }).locator("[data-index]").first().waitFor();
}
