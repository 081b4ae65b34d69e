// Quotas in words: whom one is about, and what its limits mean.
import type { Query } from "~/api/client";
import type { Quota } from "~/api/queries";
import { bytes, grouped } from "~/ui/number";

/** The limits by their keys, in the order of Kafka's documentation. */
export const LIMITS: { key: string; label: string; of: "clients" | "ip" }[] = [
  { key: "producer_byte_rate", label: "Bytes produced in a second", of: "clients" },
  { key: "consumer_byte_rate", label: "Bytes fetched in a second", of: "clients" },
  { key: "request_percentage", label: "Per cent of one processor", of: "clients" },
  { key: "controller_mutation_rate", label: "Partitions created and deleted in a second", of: "clients" },
  { key: "connection_creation_rate", label: "Connections in a second", of: "ip" },
];

/** `user alice with client id billing`, `every client id`. */
export function entityInWords({ entity }: Quota): string {
  return entity
    .map(({ type, name }) => {
      const kind = type.replaceAll("-", " ");
      return name == null ? `every ${kind === "ip" ? "address" : kind}` : `${kind === "ip" ? "address" : kind} ${name}`;
    })
    .join(" with ");
}

export function limitInWords(key: string, value: number): string {
  switch (key) {
    case "producer_byte_rate":
      return `${bytes(value)} produced in a second`;
    case "consumer_byte_rate":
      return `${bytes(value)} fetched in a second`;
    case "request_percentage":
      return `${grouped(value)} % of one processor`;
    case "controller_mutation_rate":
      return `${grouped(value)} partitions created and deleted in a second`;
    case "connection_creation_rate":
      return `${grouped(value)} connections in a second`;
    default:
      return `${key} ${grouped(value)}`;
  }
}

/** The parameters that mean this quota alone. */
export function queryOf({ entity }: Quota): Query {
  const defaults = entity.filter(({ name }) => name == null).map(({ type }) => type);
  const named = entity.filter(({ name }) => name != null).map(({ type, name }) => [type.replace("-", "_"), name!]);
  return { ...Object.fromEntries(named), default: defaults.length > 0 ? defaults.join(",") : undefined };
}
