// What keeps rows true and numbers exact, without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chartFor } from "../src/charts/columns.ts";
import { compareNumeric, formatNumber, THIN_SPACE } from "../src/charts/decimal.ts";
import { rowsOf } from "../src/routes/dashboards/layout.ts";
import { placeOf } from "../src/routes/sql/place.ts";
import { LiveView, type Listener } from "../src/routes/views/liveView.ts";
import { orderOf, sortRows } from "../src/routes/views/order.ts";
import { RowSet } from "../src/routes/views/rowSet.ts";

const shown = (value: unknown, style = {}) => formatNumber(value, style)?.replaceAll(THIN_SPACE, " ");

test("numbers are written to the last digit", () => {
  assert.equal(shown("9007199254740993"), "9 007 199 254 740 993");
  assert.equal(shown(9007199254740993n), "9 007 199 254 740 993");
  assert.equal(shown("-12345678901234567890.1234567890"), "−12 345 678 901 234 567 890.123456789");
  assert.equal(shown("520.1", { unit: "$" }), "$520.10");
  assert.equal(shown("-0.5", { unit: "$" }), "−$0.50");
  assert.equal(shown("0.999999", { most: 2 }), "1");
  assert.equal(shown("99999999999999999999.995", { most: 2 }), "100 000 000 000 000 000 000");
  assert.equal(shown("-0.001", { most: 2 }), "0");
  assert.equal(shown(1e21), "1 000 000 000 000 000 000 000");
  assert.deepEqual([shown("x"), shown(null), shown(Number.NaN)], [undefined, undefined, undefined]);
});

test("numbers are compared by their digits", () => {
  const inOrder = ["-10", "-9.5", "-0.1", "0", "0.10", "9", "10", "9007199254740992", "9007199254740993"];
  for (let at = 1; at < inOrder.length; at += 1) {
    assert.ok(compareNumeric(inOrder[at - 1]!, inOrder[at]!) < 0, `${inOrder[at - 1]} < ${inOrder[at]}`);
    assert.ok(compareNumeric(inOrder[at]!, inOrder[at - 1]!) > 0, `${inOrder[at]} > ${inOrder[at - 1]}`);
  }
  assert.equal(compareNumeric("1.50", "1.5"), 0);
  assert.equal(compareNumeric("-0", "0"), 0);
});

test("rows with every change applied are the view, whatever comes and goes", () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = randomOf(seed);
    const rows = new RowSet();
    let expected = Array.from({ length: random(40) }, () => ({ n: random(12) }));
    rows.replace(expected);
    for (let step = 0; step < 60; step += 1) {
      const removed = expected.filter(() => random(4) === 0);
      const kept = expected.filter((row) => !removed.includes(row));
      const added = Array.from({ length: random(8) }, () => ({ n: random(12) }));
      // Rows that are written alike are the same row: only how many there are counts.
      assert.ok(
        rows.apply(
          removed.map((row) => ({ ...row })),
          added,
        ),
        `seed ${seed} step ${step}`,
      );
      expected = [...kept, ...added];
      assert.deepEqual(counts(rows.rows()), counts(expected), `seed ${seed} step ${step}`);
      assert.equal(rows.size, expected.length);
    }
  }
});

test("a row that changes stays in its place, and a change that does not fit is told", () => {
  const rows = new RowSet();
  rows.replace([
    { id: 1, n: 1 },
    { id: 2, n: 1 },
    { id: 3, n: 1 },
  ]);
  assert.ok(rows.apply([{ id: 2, n: 1 }], [{ id: 2, n: 2 }]));
  assert.deepEqual(rows.rows(), [
    { id: 1, n: 1 },
    { id: 2, n: 2 },
    { id: 3, n: 1 },
  ]);
  assert.equal(rows.apply([{ id: 9, n: 9 }], []), false);
});

test("a view's order is read from its statement", () => {
  const columns = ["product_id", "title", "sold"].map((name) => ({ name, type: name === "title" ? "text" : "bigint" }));
  const keys = (sql: string) => orderOf(sql, columns).map((key) => (key.descending ? "-" : "") + key.column);
  assert.deepEqual(keys("SELECT … ORDER BY sold DESC, product_id LIMIT 10"), ["-sold", "product_id"]);
  assert.deepEqual(keys('SELECT … order by 3 desc, "title" -- ORDER BY product_id'), ["-sold", "title"]);
  assert.deepEqual(keys("SELECT x FROM (SELECT y ORDER BY sold) ORDER BY Title"), ["title"]);
  assert.deepEqual(keys("SELECT row_number() OVER (ORDER BY sold) FROM t"), []);
  assert.deepEqual(keys("SELECT * FROM (SELECT y ORDER BY sold LIMIT 3) AS t"), []);
  assert.deepEqual(keys("SELECT … ORDER BY sum(d.quantity) DESC"), []);
  assert.deepEqual(keys("SELECT 'ORDER BY sold' FROM t"), []);
  const rows = [{ sold: "9007199254740992" }, { sold: null }, { sold: "9007199254740993" }, { sold: 7 }];
  const sorted = (sql: string) => sortRows(rows, orderOf(sql, columns), columns).map((row) => row.sold);
  assert.deepEqual(sorted("ORDER BY sold"), [7, "9007199254740992", "9007199254740993", null]);
  assert.deepEqual(sorted("ORDER BY sold DESC"), [null, "9007199254740993", "9007199254740992", 7]);
  assert.deepEqual(sorted("ORDER BY sold DESC NULLS LAST"), ["9007199254740993", "9007199254740992", 7, null]);
});

test("the chart follows from the columns' types", () => {
  const columns = (...list: [string, string][]) => list.map(([name, type]) => ({ name, type }));
  assert.deepEqual(chartFor(columns(["window_start", "timestamp"], ["orders", "bigint"])), {
    form: "line",
    over: "window_start",
    values: ["orders"],
  });
  assert.deepEqual(chartFor(columns(["product_id", "bigint"], ["title", "text"], ["sold", "bigint"])), {
    form: "bar",
    by: "title",
    value: "sold",
  });
  assert.deepEqual(chartFor(columns(["orders", "bigint"])), { form: "number", values: ["orders"] });
  assert.equal(chartFor(columns(["title", "text"])), null);
});

test("an error's place is found in the text, counted in characters", () => {
  const at = (text: string, line: number, column: number) => {
    const { from, to } = placeOf(text, { line, column });
    return text.slice(from, to);
  };
  assert.equal(at("SELECT *\nFROM store.orderz", 2, 6), "store.orderz");
  assert.equal(at("SELECT '😀', nme FROM t", 1, 13), "nme");
  assert.equal(at("SELECT count(", 1, 14), "(");
  assert.equal(at("", 1, 1), "");
});

test("panels fill their rows", () => {
  const rows = (...kinds: string[]) =>
    rowsOf(kinds.map((kind) => ({ kind: kind.replace("!", ""), wide: kind.endsWith("!") }))).map((row) => row.length);
  assert.deepEqual(rows("number", "number", "line!", "bar", "table"), [2, 1, 2]);
  assert.deepEqual(rows("number", "number", "number", "number", "number"), [3, 2]);
  assert.deepEqual(rows("bar", "number", "table", "line"), [1, 1, 2]);
  assert.deepEqual(rows("bar", "table", "line"), [2, 1]);
});

test("a busy view is shown at most ten times a second, and its last state always", async () => {
  let listener: Listener | undefined;
  const view = new LiveView("store.top", (_, each) => {
    listener = each;
    return () => undefined;
  });
  let frames = 0;
  const end = view.subscribe(() => (frames += 1));
  listener!.onEvent("snapshot", { rows: [{ n: 0 }], as_of: "2026-11-20T10:00:00Z" });
  const started = performance.now();
  let sent = 0;
  while (performance.now() - started < 650) {
    listener!.onEvent("change", { removed: [{ n: sent }], added: [{ n: sent + 1 }], as_of: `t${sent + 1}` });
    sent += 1;
    await new Promise((done) => setImmediate(done));
  }
  await new Promise((done) => setTimeout(done, 250));
  end();
  assert.deepEqual(view.state().rows, [{ n: sent }]);
  assert.equal(view.state().asOf, `t${sent}`);
  assert.ok(frames >= 4 && frames <= 10, `${frames} frames for ${sent} changes`);
});

test("what the server refuses has no rows, and comes back with the next snapshot", async () => {
  let listener: Listener | undefined;
  const view = new LiveView("store.top", (_, each) => {
    listener = each;
    return () => undefined;
  });
  const end = view.subscribe(() => undefined);
  listener!.onEvent("error", { detail: "there is no view store.top", status: 404 });
  assert.deepEqual([view.state().phase, view.state().refusal?.detail], ["refused", "there is no view store.top"]);
  listener!.onDown();
  assert.equal(view.state().phase, "refused");
  listener!.onEvent("snapshot", { rows: [{ n: 1 }], as_of: "t1" });
  await new Promise((done) => setTimeout(done, 250));
  assert.deepEqual(view.state(), { phase: "live", rows: [{ n: 1 }], asOf: "t1", stale: null, refusal: null });
  end();
});

test("a view that stands still keeps its rows and says why, until it goes on", async () => {
  let listener: Listener | undefined;
  const view = new LiveView("store.top", (_, each) => {
    listener = each;
    return () => undefined;
  });
  const end = view.subscribe(() => undefined);
  const shown = () => new Promise((done) => setTimeout(done, 250));
  const stale = { state: "failed", reason: "the disk is full", as_of: "t1", lag: "4" };
  listener!.onEvent("snapshot", { rows: [{ n: 1 }], as_of: "t1", lag: "0", state: "live" });
  listener!.onEvent("stale", stale);
  await shown();
  assert.deepEqual([view.state().rows, view.state().stale], [[{ n: 1 }], stale]);
  listener!.onEvent("live", { as_of: "t2", lag: "0", state: "live" });
  await shown();
  assert.deepEqual([view.state().asOf, view.state().stale], ["t2", null]);
  listener!.onEvent("snapshot", { rows: [], ...stale });
  await shown();
  assert.deepEqual(view.state().stale, stale, "a snapshot of it says so as well");
  end();
});

function counts(rows: readonly Record<string, unknown>[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const row of rows) found.set(JSON.stringify(row), (found.get(JSON.stringify(row)) ?? 0) + 1);
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}
