// One version of a subject: its text, what it refers to, and what refers to it; beside it the other versions.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { referrersQuery, versionQuery, type RegisteredSchema, type SubjectView } from "~/api/queries";
import { CopyButton } from "~/ui/Command";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { Panel } from "~/ui/Panel";
import { pretty } from "./document";
import { formatName } from "./formats";
import { SchemaText } from "./SchemaText";

export function Version({ subject, wanted }: { subject: SubjectView; wanted: number | undefined }) {
  const latest = subject.versions.at(-1);
  const shown = subject.versions.find((each) => each.version === (wanted ?? latest?.version));
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-x-10 gap-y-8 md:grid-cols-[9rem_minmax(0,1fr)]">
      <Versions subject={subject} shown={shown?.version} />
      {shown === undefined ? (
        <ErrorState
          error={new Error("It may have been deleted. The versions that there are stand beside this.")}
          title={`There is no version ${wanted ?? ""}`}
        />
      ) : (
        <Shown key={shown.version} subject={subject.subject} version={shown.version} id={shown.id} />
      )}
    </div>
  );
}

function Versions({ subject, shown }: { subject: SubjectView; shown: number | undefined }) {
  return (
    <Panel title="Versions">
      <ul aria-label="Versions" className="flex max-h-[36rem] flex-wrap gap-x-4 overflow-y-auto md:block">
        {subject.versions.toReversed().map(({ version, id }, index) => (
          <li key={version}>
            <Link
              to="/registry/$subject"
              params={{ subject: subject.subject }}
              search={index === 0 ? {} : { version }}
              aria-current={version === shown ? "true" : undefined}
              activeProps={{}}
              className={`figures flex items-baseline justify-between gap-3 border-b border-rule py-1.5 -outline-offset-2 ${
                version === shown ? "font-semibold" : "text-ink-soft hover:text-ink"
              }`}
            >
              Version {version}
              <span className="label">id {id}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Shown({ subject, version, id }: { subject: string; version: number; id: number }) {
  const found = useQuery(versionQuery(subject, version));
  const text = useMemo(() => found.data && pretty(found.data.schema ?? "", found.data.schemaType), [found.data]);
  return (
    <div className="min-w-0 space-y-8">
      <Panel
        title={`Version ${version}`}
        note={`${formatName(found.data?.schemaType)}, id ${id}`}
        actions={text !== undefined && <CopyButton text={text} label="Copy the schema" />}
      >
        {text !== undefined ? (
          <SchemaText text={text} label={`Schema of version ${version}`} />
        ) : found.isPending ? (
          <Loading what="Reading the schema …" />
        ) : (
          <ErrorState error={found.error} title="The schema cannot be shown" onRetry={() => void found.refetch()} />
        )}
      </Panel>
      {found.data && <References schema={found.data} subject={subject} />}
      <Referrers subject={subject} version={version} />
    </div>
  );
}

function References({ schema, subject }: { schema: RegisteredSchema; subject: string }) {
  const references = schema.references ?? [];
  if (references.length === 0) return null;
  return (
    <Panel title="Refers to">
      <ul>
        {references.map((each) => (
          <li key={each.name} className="flex flex-wrap justify-between gap-x-4 border-b border-rule py-1.5">
            <span className="data break-all">{each.name}</span>
            <VersionLink subject={inContextOf(subject, each.subject)} version={each.version} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** A reference is to the context of the schema that has it, unless it names one. */
function inContextOf(subject: string, reference: string): string {
  const context = /^:\.[^:]*:/.exec(subject)?.[0] ?? "";
  return reference.startsWith(":.") ? reference : context + reference;
}

function Referrers({ subject, version }: { subject: string; version: number }) {
  const referrers = useQuery(referrersQuery(subject, version)).data ?? [];
  if (referrers.length === 0) return null;
  return (
    <Panel title="Referred to by">
      <ul>
        {referrers.map((each) => (
          <li key={`${each.subject} ${each.version}`} className="border-b border-rule py-1.5">
            <VersionLink {...each} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function VersionLink({ subject, version }: { subject: string; version: number }) {
  return (
    <Link to="/registry/$subject" params={{ subject }} search={{ version }} className="data link">
      {subject} version {version}
    </Link>
  );
}
