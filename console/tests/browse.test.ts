// Browsing against a log in memory: each record once, in order, whatever the partitions, gaps and sizes of answers.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordView } from "../src/api/queries.ts";
import { Browse, type Fetch, type Start } from "../src/routes/topics/browse.ts";
import { matcher } from "../src/routes/topics/matcher.ts";
import { placeOf, type Unreadable } from "../src/routes/topics/message.ts";

type Log = RecordView[][];

test("every record comes once, merged by time, in both directions", async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const log = anyLog(seed);
    const expected = log
      .flat()
      .sort((a, b) => (a.timestamp! < b.timestamp! ? -1 : a.timestamp! > b.timestamp! ? 1 : a.partition - b.partition));
    const forward = await all(log, { from: "earliest" });
    assert.deepEqual(forward, expected.map(place), `seed ${seed} forward`);
    const back = await all(log, { from: "latest" });
    assert.deepEqual(new Set(back), new Set(forward), `seed ${seed} back has the same`);
    const times = back.map((each) => log.flat().find((record) => place(record) === each)!.timestamp!);
    assert.deepEqual(times, times.toSorted().reverse(), `seed ${seed} back is newest first`);
  }
});

test("a filter that matches nothing still ends a page", async () => {
  const log = [records(0, 12_000)];
  const browse = new Browse(fetchFrom(log, 1_000), { from: "earliest" }, matcher("no such thing", "text"), bounds(log));
  const page = await browse.next();
  assert.deepEqual([page.entries.length, page.scanned, page.done], [0, 5_000, false]);
});

test("a range that cannot be read comes once, whole and in its place, whatever the filter and the direction", async () => {
  for (const [from, next] of [
    [0, 1],
    [12, 16],
    [190, 210],
    [100, 900],
    [995, 1_000],
  ] as const) {
    const range = { partition: 0, from: String(from), next: String(next), reason: "the checksum does not fit" };
    const readable = records(0, 1_000).filter(({ offset }) => Number(offset) < from || Number(offset) >= next);
    const log = [readable, records(1, 30)];
    for (const start of [{ from: "earliest" }, { from: "latest" }] as const) {
      const fetch = fetchFrom(log, 7, [range]);
      const found = await entries(new Browse(fetch, start, matcher("nothing has this", "text"), bounds(log, 1_000)));
      assert.deepEqual(found, [range], `${from} to ${next}, from the ${start.from}`);
      const places = (await entries(new Browse(fetch, start, matcher(undefined, "text"), bounds(log, 1_000)))).map(
        placeOf,
      );
      const expected = [...readable.map(place), placeOf(range)].sort((a, b) => Number(a.slice(2)) - Number(b.slice(2)));
      const own = places.filter((each) => each.startsWith("0:"));
      assert.deepEqual(own, start.from === "latest" ? expected.toReversed() : expected, `${from} to ${next}`);
      assert.equal(places.length, own.length + 30);
    }
  }
});

test("an offset before the start begins at the start, a negative one counts from the end", async () => {
  const log = [records(0, 50)];
  assert.equal((await all(log, { from: "offset", offset: "-3" })).length, 3);
  assert.equal((await all(log, { from: "offset", offset: "-999" })).length, 50);
  assert.deepEqual(await all(log, { from: "offset", offset: "48" }), ["0:48", "0:49"]);
});

async function all(log: Log, start: Start): Promise<string[]> {
  const browse = new Browse(fetchFrom(log, 7), start, matcher(undefined, "text"), bounds(log));
  return (await entries(browse)).map(placeOf);
}

async function entries(browse: Browse) {
  const found = [];
  for (;;) {
    const page = await browse.next();
    found.push(...page.entries);
    if (page.done) return found;
  }
}

/**
 * The server's way of answering, ending early after `most` records as it does after so many bytes. A range is told from
 * where it was asked on.
 */
function fetchFrom(log: Log, most: number, ranges: Unreadable[] = []): Fetch {
  const endOf = (item: RecordView | Unreadable) => ("next" in item ? Number(item.next) : Number(item.offset) + 1);
  const beginOf = (item: RecordView | Unreadable) => Number("next" in item ? item.from : item.offset);
  const sorted = log.map((records, partition) =>
    [...records, ...ranges.filter((range) => range.partition === partition)].sort((a, b) => beginOf(a) - beginOf(b)),
  );
  return async (query) => {
    const partition = Number(query.partition);
    const offset = Number(query.offset ?? 0);
    const items = sorted[partition]!.filter((item) => endOf(item) > offset).map((item) =>
      beginOf(item) < offset ? { ...item, from: String(offset) } : item,
    );
    const found = items.slice(0, Math.min(Number(query.limit), most));
    const end = String(items.length > 0 ? endOf(items.at(-1)!) : offset);
    const next = found.length > 0 ? String(endOf(found.at(-1)!)) : end;
    return {
      records: found.filter((item): item is RecordView => !("next" in item)),
      unreadable: found.filter((item): item is Unreadable => "next" in item),
      partitions: [{ partition, next, log_start: "0", high_watermark: end }],
    };
  };
}

function bounds(log: Log, end = 0) {
  return log.map((partition, index) => {
    const last = partition.length === 0 ? 0 : Number(partition.at(-1)!.offset) + 1;
    return { partition: index, log_start: "0", high_watermark: String(index === 0 ? Math.max(last, end) : last) };
  });
}

function anyLog(seed: number): Log {
  let state = seed;
  const random = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
  return Array.from({ length: 1 + random(4) }, (_, partition) => {
    let time = Date.UTC(2026, 10, 20);
    let offset = -1;
    return Array.from({ length: random(700) }, () => {
      time += random(3) * 100;
      // Compaction leaves holes.
      offset += 1 + (random(5) === 0 ? random(4) : 0);
      return record(partition, offset, new Date(time).toISOString());
    });
  });
}

function records(partition: number, count: number): RecordView[] {
  return Array.from({ length: count }, (_, offset) => record(partition, offset, "2026-11-20T10:00:00.000Z"));
}

function record(partition: number, offset: number, timestamp: string): RecordView {
  return {
    partition,
    offset: String(offset),
    timestamp,
    key: null,
    key_encoding: "null",
    value: { offset },
    value_encoding: "json",
    headers: [],
  };
}

function place({ partition, offset }: RecordView): string {
  return `${partition}:${offset}`;
}
