// Every digit comes through, and what is no JSON is refused as `JSON.parse` would.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Digits, parseExact, parseJson, writeJson } from "../src/api/json.ts";

test("numbers beyond a double keep their digits", () => {
  assert.deepEqual(parseJson('{"a":9007199254740993,"b":-9223372036854775808,"c":41}'), {
    a: 9007199254740993n,
    b: -9223372036854775808n,
    c: 41,
  });
  const text = '{"id":9007199254740993,"price":12.50,"tiny":1e-7,"big":1E+400,"n":7,"t":"x"}';
  const value = parseExact(text) as Record<string, unknown>;
  assert.ok(value.id instanceof Digits && value.price instanceof Digits && value.big instanceof Digits);
  assert.equal(value.n, 7);
  assert.equal(writeJson(parseExact(text)), text);
});

test("agrees with JSON.parse where that loses nothing", () => {
  const random = seeded(7);
  for (let round = 0; round < 2_000; round += 1) {
    const text = JSON.stringify(anyValue(random, 0), null, round % 3);
    assert.deepEqual(parseJson(text), JSON.parse(text), text);
    assert.equal(writeJson(parseExact(text)), JSON.stringify(JSON.parse(text)), text);
  }
});

test("refuses what is no JSON", () => {
  const wrong = [
    "",
    "{",
    "[1,]",
    "{a:1}",
    "01",
    "1.",
    "+1",
    "'a'",
    '"a',
    '"\\x"',
    '"\n"',
    "nul",
    "[1] 2",
    '{"a" 1}',
    "\u00a01",
  ];
  for (const text of wrong) {
    assert.throws(() => parseJson(text), SyntaxError, JSON.stringify(text));
    assert.throws(() => JSON.parse(text), SyntaxError, JSON.stringify(text));
  }
  assert.throws(() => parseJson("[".repeat(100_000)), SyntaxError);
});

test("a field called __proto__ is a field", () => {
  const value = parseExact('{"__proto__":{"x":1}}') as Record<string, unknown>;
  assert.deepEqual(Object.keys(value), ["__proto__"]);
  assert.equal(({} as Record<string, unknown>).x, undefined);
});

test("1 MiB of text is read at once", () => {
  const value = { text: 'a"\\\n'.repeat(260_000) };
  const begun = performance.now();
  assert.deepEqual(parseExact(JSON.stringify(value)), value);
  assert.ok(performance.now() - begun < 1_000);
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function anyValue(random: () => number, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 3 ? 5 : 7));
  const words = ["", "a", 'q"', "\\", "\u2028é", "line\nbreak", "</script>"];
  const word = () => words[Math.floor(random() * words.length)]!;
  switch (kind) {
    case 0:
      return null;
    case 1:
      return random() < 0.5;
    case 2:
      return Math.floor(random() * 1e9) - 5e8;
    case 3:
      return Math.round(random() * 1e6) / 64;
    case 4:
      return word();
    case 5:
      return Array.from({ length: Math.floor(random() * 4) }, () => anyValue(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: Math.floor(random() * 4) }, (_, index) => [
          `${word()}k${index}`,
          anyValue(random, depth + 1),
        ]),
      );
  }
}
