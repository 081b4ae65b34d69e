// What rules are about, and the operations that each kind of resource knows, as Kafka's ACLs have them.

export type ResourceType = "topic" | "group" | "transactional_id" | "cluster";

export const RESOURCES: { type: ResourceType; label: string }[] = [
  { type: "topic", label: "a topic, view, table or dashboard" },
  { type: "group", label: "a consumer group" },
  { type: "transactional_id", label: "a transactional id" },
  { type: "cluster", label: "the cluster" },
];

export const OPERATIONS: Record<ResourceType, string[]> = {
  topic: ["read", "write", "create", "delete", "alter", "describe", "describe_configs", "alter_configs", "all"],
  group: ["read", "delete", "describe", "describe_configs", "alter_configs", "all"],
  transactional_id: ["write", "describe", "all"],
  cluster: [
    "describe",
    "create",
    "alter",
    "describe_configs",
    "alter_configs",
    "idempotent_write",
    "cluster_action",
    "all",
  ],
};
