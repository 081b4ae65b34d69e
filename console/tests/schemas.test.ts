// Schemas as the console sets, compares and judges them, without a server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pretty } from "../src/routes/registry/document.ts";
import { pairs } from "../src/routes/registry/lines.ts";

test("JSON keeps its order, digits and escapes when it is set for people", () => {
  const text = String.raw`{"b":[1.50, {}],"2":"{a, b} \" \\","1":[ ]}`;
  assert.equal(
    pretty(text, "JSON"),
    String.raw`{
  "b": [
    1.50,
    {}
  ],
  "2": "{a, b} \" \\",
  "1": []
}`,
  );
  assert.equal(pretty("[1", "AVRO"), "[1");
  assert.equal(pretty("message A {}\n", "PROTOBUF"), "message A {}");
});

test("lines that differ stand beside each other", () => {
  const shown = (before: string, after: string) =>
    pairs(before, after).map((each) => `${each.old?.text ?? ""}|${each.new?.text ?? ""}`);
  assert.deepEqual(shown("a\nb\nc", "a\nx\nc\nd"), ["a|a", "b|x", "c|c", "|d"]);
  assert.deepEqual(shown("a", "a"), ["a|a"]);
  assert.deepEqual(shown("a\nb", "b"), ["a|", "b|b"]);
  const [many, others] = [
    Array.from({ length: 3_000 }, (_, n) => `a${n}`),
    Array.from({ length: 10 }, (_, n) => `b${n}`),
  ];
  assert.equal(pairs(many.join("\n"), others.join("\n")).length, 3_000, "replaced as a whole");
});
