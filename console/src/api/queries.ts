// What the console reads, each under one key, so that pages share answers and the palette finds them.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
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
export type Transaction = Schemas["TransactionView"];
export type HeldPartition = Schemas["HeldPartitionView"];
export type SubjectLine = Schemas["SubjectLine"];
export type SubjectView = Schemas["SubjectView"];
export type RegisteredSchema = Schemas["RegisteredSchema"];
export type SubjectVersion = Schemas["SubjectVersion"];
export type EventLine = Schemas["EventLine"];
export type EventView = Schemas["EventView"];
export type Producer = Schemas["Producer"];
export type Consumer = Schemas["Consumer"];
export type SchemaImpact = Schemas["SchemaImpact"];
export type ReaderImpact = Schemas["ReaderImpact"];
export type RoleHealth = Schemas["RoleHealth"];
export type KafkaAddress = Schemas["KafkaAddress"];
export type SampleView = Schemas["SampleView"];
export type User = Schemas["UserView"];
export type Acl = Schemas["AclView"];
export type Quota = Schemas["QuotaView"];

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

/** Schemas that refer to one, of which a page names so many. */
const REFERRERS = 20;

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

export const transactionsQuery = queryOptions({
  queryKey: ["transactions"],
  queryFn: ({ signal }) => request<Schemas["TransactionList"]>("/api/v1/transactions", { signal }),
  refetchInterval: every(2),
});

export const topicGroupsQuery = (topic: string) =>
  queryOptions({
    queryKey: ["topics", topic, "groups"],
    queryFn: async ({ signal }) =>
      (await request<Schemas["TopicGroupList"]>(path("/api/v1/topics/{topic}/groups", { topic }), { signal })).groups,
    refetchInterval: every(2),
  });

/** The first thousand subjects that have `q` in their names, and how many there are. */
export const subjectsQuery = (q = "") =>
  queryOptions({
    queryKey: ["subjects", "list", q],
    queryFn: ({ signal }) =>
      request<Schemas["SubjectList"]>("/api/v1/subjects", { query: { q: q || undefined }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: every(5),
  });

/** The subjects of a topic's keys and values. */
export const topicSubjectsQuery = (topic: string) =>
  queryOptions({
    queryKey: ["subjects", "of", topic],
    queryFn: async ({ signal }) =>
      (await request<Schemas["SubjectList"]>("/api/v1/subjects", { query: { topic }, signal })).subjects,
    refetchInterval: every(5),
  });

/** The first thousand declared events that have the words of `search`, and how many there are. */
export const eventsQuery = (search = "") =>
  queryOptions({
    queryKey: ["events", "list", search],
    queryFn: ({ signal }) =>
      request<Schemas["EventList"]>("/api/v1/events", { query: { search: search || undefined, limit: 1000 }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: every(5),
  });

/** A declared event, by its topic or its type. */
export const eventQuery = (event: string) =>
  queryOptions({
    queryKey: ["events", "one", event],
    queryFn: ({ signal }) => request<EventView>(path("/api/v1/events/{event}", { event }), { signal }),
    refetchInterval: every(5),
  });

/** Names of subjects that are deleted, but not for good. */
export const deletedSubjectsQuery = queryOptions({
  queryKey: ["subjects", "deleted"],
  queryFn: ({ signal }) => request<string[]>("/subjects", { query: { deletedOnly: true, limit: 1000 }, signal }),
  refetchInterval: every(5),
});

/** The mode in effect for a subject. */
export const modeQuery = (subject: string) =>
  queryOptions({
    queryKey: ["modes", subject],
    queryFn: async ({ signal }) => {
      const query = { defaultToGlobal: true };
      return (await request<{ mode: string }>(path("/mode/{subject}", { subject }), { query, signal })).mode;
    },
  });

export const subjectQuery = (subject: string) =>
  queryOptions({
    queryKey: ["subjects", "one", subject],
    queryFn: ({ signal }) => request<SubjectView>(path("/api/v1/subjects/{subject}", { subject }), { signal }),
    refetchInterval: every(5),
  });

/** One version with its text, which does not change. */
export const versionQuery = (subject: string, version: number) =>
  queryOptions({
    queryKey: ["subjects", "one", subject, version],
    queryFn: ({ signal }) =>
      request<RegisteredSchema>(path("/subjects/{subject}/versions/{version}", { subject, version: `${version}` }), {
        signal,
      }),
    staleTime: Infinity,
  });

/** The versions whose schemas refer to a version. */
export const referrersQuery = (subject: string, version: number) =>
  queryOptions({
    queryKey: ["subjects", "one", subject, version, "referrers"],
    queryFn: async ({ signal }) => {
      const names = { subject, version: `${version}` };
      const query = { limit: REFERRERS };
      const of = path("/subjects/{subject}/versions/{version}/referencedby", names);
      const ids = await request<number[]>(of, { query, signal });
      // An id is one of the subject's context.
      const context = /^:\.[^:]*:/.exec(subject)?.[0];
      const uses = ids.map((id) =>
        request<SubjectVersion[]>(path("/schemas/ids/{id}/versions", { id: `${id}` }), {
          query: { subject: context },
          signal,
        }),
      );
      return (await Promise.all(uses)).flat();
    },
  });

export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: async ({ signal }) => (await request<Schemas["UserList"]>("/api/v1/users", { signal })).users,
  refetchInterval: every(10),
});

/** The rules; a server whose listeners go by none answers with 409. */
export const aclsQuery = queryOptions({
  queryKey: ["acls"],
  queryFn: async ({ signal }) => (await request<Schemas["AclList"]>("/api/v1/acls", { signal })).acls,
  refetchInterval: every(10),
});

export const quotasQuery = queryOptions({
  queryKey: ["quotas"],
  queryFn: async ({ signal }) => (await request<Schemas["QuotaList"]>("/api/v1/quotas", { signal })).quotas,
  refetchInterval: every(10),
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
