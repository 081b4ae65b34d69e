// Filters on fields: their grammar, and what they let through.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExact } from "../src/api/json.ts";
import type { RecordView } from "../src/api/queries.ts";
import { fits, parseConditions } from "../src/routes/topics/fields.ts";

function record(value: string, more: Partial<RecordView> = {}): RecordView {
  const parsed = parseExact(value) as RecordView["value"];
  const place = { partition: 0, offset: "0", timestamp: null, key: null, key_encoding: "text" };
  return { ...place, headers: [], value: parsed, value_encoding: "json", ...more } as RecordView;
}

const ORDER = record(
  '{"Total": 12.50, "Id": 9007199254740993, "Region": "North and South", "Customer": {"Name": "Ann", "a b": 1}, "Lines": [{"Sku": "x"}], "Note": null, "key": "inner"}',
  {
    key: "ann@contoso.com",
    headers: [{ key: "ce_type", value: "order.paid", encoding: "text" }],
  } as Partial<RecordView>,
);

test("conditions on fields let through what fits all of them", () => {
  for (const [filter, expected] of [
    ["Total = 12.5", true],
    ["Total >= 12.50 and Total < 12.51", true],
    ["Total > 12.5", false],
    ["Total > 9", true],
    ["Total > 1.2e1", true],
    ["Id = 9007199254740993", true],
    ["Id = 9007199254740992", false],
    ['Region = "North and South"', true],
    ["Region ~ SOUTH AND Total=12.5", true],
    ["Region = North", false],
    ["Customer.Name = Ann", true],
    ['Customer."a b" = 1', true],
    ["Lines.0.Sku = x", true],
    ["Lines ~ sku", true],
    ["Note exists", true],
    ["Note = null", true],
    ["Missing exists", false],
    ["Missing != 1", true],
    ["Missing = 1", false],
    ["Missing < 1", false],
    ["key ~ @contoso.com", true],
    ["header.ce_type = order.paid", true],
    ["constructor exists", false],
    ["Total != -12.5", true],
    ['Region != ""', true],
  ] as const) {
    assert.equal(fits(ORDER, parseConditions(filter)), expected, filter);
  }
  assert.equal(
    fits(record('"text"', { value_encoding: "text" } as Partial<RecordView>), parseConditions("a = 1")),
    false,
  );
});

test("what is no condition says what is missing", () => {
  for (const [filter, message] of [
    ["", /name a field/],
    ["= 1", /name a field/],
    ["Total", /after Total write one of/],
    ["Total 9", /after Total write one of/],
    ["Total =", /write a value/],
    ["Total = 1 and", /name a field/],
    ['Total = "1" or Id = 2', /joined with "and"/],
    ["a.", /name a field/],
  ] as const) {
    assert.throws(() => parseConditions(filter), message, filter);
  }
});
