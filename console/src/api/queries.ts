// What the console reads, each under one key, so that pages share answers and the palette finds them.
import { queryOptions } from "@tanstack/react-query";
import { path, request, type Schemas } from "./client";

export type TopicLine = Schemas["TopicLine"];
export type TopicView = Schemas["TopicView"];
export type RecordView = Schemas["RecordView"];
export type ViewLine = Schemas["ViewLine"];
export type PipelineLine = Schemas["PipelineLine"];
export type PipelineView = Schemas["PipelineView"];
export type GroupLine = Schemas["GroupLine"];
export type GroupView = Schemas["GroupView"];
export type LagHistory = Schemas["LagHistory"];
export type TopicGroup = Schemas["TopicGroup"];
export type RoleHealth = Schemas["RoleHealth"];
export type KafkaAddress = Schemas["KafkaAddress"];
export type SampleView = Schemas["SampleView"];

/** How the server does, in one answer, rates included. Rates are null in the first answer after no one looked. */
export interface Overview {
  version: string;
  uptime_seconds: number;
  /** Where Kafka clients connect. */
  kafka: KafkaAddress;
  health: { ready: boolean; roles: RoleHealth[] };
  topics: number;
  /** 64-bit numbers as text. */
  records: string;
  bytes: string;
  views: number;
  pipelines: number;
  groups: number;
  /** How much is wrong with the project's files, warnings included. */
  problems: number;
  records_per_second: number | null;
  bytes_per_second: number | null;
  by_topic: TopicActivity[];
  by_pipeline: PipelineActivity[];
}

export interface TopicActivity {
  name: string;
  /** Records kept, a 64-bit number as text. */
  records: string;
  records_per_second: number | null;
}

export interface PipelineActivity {
  name: string;
  /** Events not taken in yet, a 64-bit number as text. */
  lag: string;
  /** Events taken in per second. */
  rate: number;
}

export interface ProjectProblem {
  /** An error leaves this part as it was applied last until it is put right; a warning leaves it without effect. */
  severity: "error" | "warning";
  file: string;
  line?: number | null;
  column?: number | null;
  message: string;
  help?: string | null;
  excerpt?: string | null;
}

export interface Project {
  name?: string | null;
  path?: string | null;
  applied_at?: string | null;
  /** Why the last attempt changed nothing. */
  failure?: string | null;
  problems: ProjectProblem[];
}

export interface PanelSpec {
  kind: "number" | "line" | "bar" | "table";
  title: string;
  view: string;
  columns: string[];
  over?: string | null;
  by?: string | null;
  unit?: string | null;
  last?: number | null;
  wide?: boolean;
  problem?: string | null;
}

export interface Dashboard {
  name: string;
  team: string;
  title: string;
  summary?: string | null;
  panels: PanelSpec[];
}

const every = (seconds: number) => seconds * 1_000;

export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: ({ signal }) => request<Overview>("/api/v1/overview", { signal }),
  refetchInterval: every(5),
});

export const projectQuery = queryOptions({
  queryKey: ["project"],
  queryFn: ({ signal }) => request<Project>("/api/v1/project", { signal }),
  refetchInterval: every(2),
});

export const topicsQuery = queryOptions({
  queryKey: ["topics"],
  queryFn: async ({ signal }) => (await request<Schemas["TopicList"]>("/api/v1/topics", { signal })).topics,
  refetchInterval: every(2),
});

export const topicQuery = (topic: string) =>
  queryOptions({
    queryKey: ["topics", topic],
    queryFn: ({ signal }) => request<TopicView>(path("/api/v1/topics/{topic}", { topic }), { signal }),
    refetchInterval: every(5),
  });

export const groupsQuery = queryOptions({
  queryKey: ["groups"],
  queryFn: async ({ signal }) => (await request<Schemas["GroupList"]>("/api/v1/groups", { signal })).groups,
  refetchInterval: every(2),
});

export const groupQuery = (group: string) =>
  queryOptions({
    queryKey: ["groups", group],
    queryFn: ({ signal }) => request<GroupView>(path("/api/v1/groups/{group}", { group }), { signal }),
    refetchInterval: every(2),
  });

export const groupLagQuery = (group: string) =>
  queryOptions({
    queryKey: ["groups", group, "lag"],
    queryFn: ({ signal }) => request<LagHistory>(path("/api/v1/groups/{group}/lag", { group }), { signal }),
    refetchInterval: every(5),
  });

export const topicGroupsQuery = (topic: string) =>
  queryOptions({
    queryKey: ["topics", topic, "groups"],
    queryFn: async ({ signal }) =>
      (await request<Schemas["TopicGroupList"]>(path("/api/v1/topics/{topic}/groups", { topic }), { signal })).groups,
    refetchInterval: every(2),
  });

export const viewsQuery = queryOptions({
  queryKey: ["views"],
  queryFn: async ({ signal }) => (await request<Schemas["ViewList"]>("/api/v1/views", { signal })).views,
  refetchInterval: every(2),
});

export const pipelinesQuery = queryOptions({
  queryKey: ["pipelines"],
  queryFn: async ({ signal }) => (await request<Schemas["PipelineList"]>("/api/v1/pipelines", { signal })).pipelines,
  refetchInterval: every(2),
});

export const pipelineQuery = (pipeline: string) =>
  queryOptions({
    queryKey: ["pipelines", pipeline],
    queryFn: ({ signal }) => request<PipelineView>(path("/api/v1/pipelines/{pipeline}", { pipeline }), { signal }),
    refetchInterval: every(2),
  });

export const dashboardsQuery = queryOptions({
  queryKey: ["dashboards"],
  queryFn: async ({ signal }) =>
    (await request<{ dashboards: Dashboard[] }>("/api/v1/dashboards", { signal })).dashboards,
  refetchInterval: every(5),
});

export const dashboardQuery = (dashboard: string) =>
  queryOptions({
    queryKey: ["dashboards", dashboard],
    queryFn: ({ signal }) => request<Dashboard>(path("/api/v1/dashboards/{dashboard}", { dashboard }), { signal }),
    refetchInterval: every(5),
  });
