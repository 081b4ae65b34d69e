// The formats of schemas, by the registry's words for them.

export const FORMATS: { type: string; name: string }[] = [
  { type: "AVRO", name: "Avro" },
  { type: "JSON", name: "JSON Schema" },
  { type: "PROTOBUF", name: "Protobuf" },
];

export function formatName(type: string | null | undefined): string {
  return FORMATS.find((each) => each.type === (type ?? "AVRO"))?.name ?? String(type);
}
