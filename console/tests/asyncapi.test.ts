// The catalogue as AsyncAPI: valid by the official schema of AsyncAPI 3.0, with every reference leading to its place.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Ajv, type ValidateFunction } from "ajv";
import { Factum, until } from "./harness.ts";

let factum: Factum;
let validate: ValidateFunction;

const FILES: Record<string, string> = {
  "returns.yaml": "summary: A customer sent a film back.\ntype: com.contoso.returned\n",
  "returns.avsc": JSON.stringify({
    type: "record",
    name: "Returned",
    namespace: "contoso.store",
    fields: [
      { name: "email", type: "string" },
      { name: "amount", type: { type: "bytes", logicalType: "decimal", precision: 10, scale: 2 } },
      { name: "reason", type: ["null", { type: "enum", name: "Reason", symbols: ["LATE", "BROKEN"] }], default: null },
    ],
  }),
  "refunds.yaml": "summary: Money went back.\n",
  "refunds.proto":
    'syntax = "proto3";\npackage contoso.store;\nmessage Refund { string email = 1; int64 cents = 2; }\n',
  "baskets.yaml": "summary: A basket was filled.\nkey: email\n",
  "baskets.schema.json": JSON.stringify({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "https://contoso.com/basket",
    type: "object",
    required: ["email", "lines"],
    properties: { email: { type: "string" }, lines: { type: "array", items: { $ref: "#/$defs/line" } } },
    $defs: { line: { type: "object", properties: { sku: { type: "string" }, gift: { type: "boolean" } } } },
  }),
};

before(async () => {
  factum = await Factum.start();
  for (const [name, text] of Object.entries(FILES)) {
    writeFileSync(join(factum.project, "teams/store/events", name), text);
  }
  await until("the events are applied", async () => {
    const { total } = (await (await fetch(`${factum.api}/api/v1/events`)).json()) as { total: number };
    return total === 4;
  });
  const specification = createRequire(import.meta.url)("@asyncapi/specs/schemas/3.0.0-without-$id.json") as object;
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  validate = ajv.compile(specification);
});
after(() => factum?.stop());

/** The references within `value`. */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === "$ref" && typeof inner === "string" ? [inner] : references(inner),
  );
}

function at(document: unknown, reference: string): unknown {
  const parts = reference.replace(/^#\//, "").split("/");
  return parts.reduce<unknown>((place, part) => (place as Record<string, unknown> | undefined)?.[part], document);
}

for (const query of ["", "?team=store"]) {
  test(`the document ${query || "of all teams"} is valid`, async () => {
    const document: unknown = await (await fetch(`${factum.api}/api/v1/asyncapi${query}`)).json();
    assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 5), null, 1));
    const found = references(document);
    assert.ok(found.length >= 17);
    for (const reference of found) assert.ok(at(document, reference) !== undefined, reference);
    const formats = Object.values(at(document, "#/components/schemas") as Record<string, { schemaFormat: string }>);
    assert.deepEqual(formats.map((each) => each.schemaFormat.split(";")[0]).sort(), [
      "application/schema+json",
      "application/schema+json",
      "application/vnd.apache.avro+json",
      "application/vnd.google.protobuf",
    ]);
  });
}

test("what is no document of AsyncAPI is refused", async () => {
  const document = (await (await fetch(`${factum.api}/api/v1/asyncapi`)).json()) as Record<string, object>;
  assert.equal(
    validate({ ...document, operations: { x: { action: "write", channel: { $ref: "#/channels/x" } } } }),
    false,
  );
});
