// One subject: a version's text, two versions side by side, a check of a new schema, and its settings.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, linkOptions } from "@tanstack/react-router";
import { Problem } from "~/api/problem";
import { subjectQuery, topicsQuery, type SubjectView } from "~/api/queries";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { counted } from "~/ui/number";
import { Page } from "~/ui/Page";
import { Tabs } from "~/ui/Tabs";
import { Check } from "./Check";
import { Compare } from "./Compare";
import { formatName } from "./formats";
import { Readers } from "./Readers";
import type { SubjectSearch, Tab } from "./search";
import { Settings } from "./Settings";
import { Version } from "./Version";

const route = getRouteApi("/registry/$subject");

const TABS: { tab: Tab; name: string }[] = [
  { tab: "schema", name: "Schema" },
  { tab: "compare", name: "Compare" },
  { tab: "check", name: "Check" },
  { tab: "consumers", name: "Readers" },
  { tab: "settings", name: "Settings" },
];

export function SubjectPage() {
  const { subject: name } = route.useParams();
  const subject = useQuery(subjectQuery(name));
  const search = route.useSearch();
  const unknown = subject.error instanceof Problem && subject.error.status === 404;
  return (
    <Page
      title={name}
      mono
      over={
        <Link to="/registry" className="link">
          Schemas
        </Link>
      }
      summary={subject.data ? <Summary subject={subject.data} /> : "\u00a0"}
    >
      {subject.data && !unknown ? (
        <>
          <SubjectTabs subject={name} search={search} />
          <Part subject={subject.data} search={search} />
        </>
      ) : subject.isPending ? (
        <Loading what="Reading the subject …" />
      ) : (
        <ErrorState
          error={subject.error}
          title={unknown ? "There is no such subject" : "This subject cannot be shown"}
          onRetry={() => void subject.refetch()}
        />
      )}
    </Page>
  );
}

function Part({ subject, search }: { subject: SubjectView; search: SubjectSearch }) {
  switch (search.tab) {
    case "compare":
      return <Compare subject={subject} search={search} />;
    case "check":
      return <Check key={subject.subject} subject={subject} />;
    case "consumers":
      return <Readers subject={subject.subject} />;
    case "settings":
      return <Settings key={subject.subject} subject={subject} />;
    default:
      return <Version subject={subject} wanted={search.version} />;
  }
}

function Summary({ subject }: { subject: SubjectView }) {
  const latest = subject.versions.at(-1);
  const facts = [
    formatName(latest?.schema_type),
    counted(subject.versions.length, "version"),
    `latest id ${latest?.id ?? "none"}`,
    subject.compatibility,
  ];
  return (
    <>
      <span className="figures">{facts.join(" · ")}</span>
      <Topic subject={subject.subject} />
    </>
  );
}

/** The topic whose keys or values a subject is named after, where there is one. */
function Topic({ subject }: { subject: string }) {
  const [, topic, part] = /^([^:].*)-(key|value)$/.exec(subject) ?? [];
  const topics = useQuery(topicsQuery).data ?? [];
  if (topic === undefined || !topics.some((each) => each.name === topic)) return null;
  return (
    <span className="block">
      The {part}s of topic{" "}
      <Link to="/topics/$topic" params={{ topic }} className="data link">
        {topic}
      </Link>
      .
    </span>
  );
}

function SubjectTabs({ subject, search }: { subject: string; search: SubjectSearch }) {
  const open = search.tab ?? "schema";
  const tabs = TABS.map(({ tab, name }) => {
    const keepsVersion = search.version !== undefined && ["schema", "compare"].includes(tab);
    const to = {
      ...(tab === "schema" ? {} : { tab }),
      ...(keepsVersion ? { version: search.version } : {}),
    };
    return {
      name,
      link: linkOptions({ to: "/registry/$subject", params: { subject }, search: to }),
      open: tab === open,
    };
  });
  return <Tabs label="Parts of the subject" tabs={tabs} />;
}
