// Two versions of a subject side by side.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { versionQuery, type SubjectView } from "~/api/queries";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { SelectField } from "~/ui/Field";
import { Loading } from "~/ui/Loading";
import { counted } from "~/ui/number";
import { Panel } from "~/ui/Panel";
import { DiffTable } from "./DiffTable";
import { pretty } from "./document";
import { pairs } from "./lines";
import type { SubjectSearch } from "./search";

export function Compare({ subject, search }: { subject: SubjectView; search: SubjectSearch }) {
  const navigate = useNavigate({ from: "/registry/$subject" });
  const versions = subject.versions.map((each) => each.version);
  const at = search.version === undefined ? versions.length - 1 : versions.indexOf(search.version);
  const to = versions[at] ?? versions.at(-1);
  const from = search.from ?? versions[Math.max(0, at - 1)];
  if (versions.length < 2) return <EmptyState title="There is one version: nothing to compare it with." />;
  if (from === undefined || to === undefined) return null;
  const choose = (next: Partial<SubjectSearch>) =>
    void navigate({ search: { tab: "compare", version: to, from, ...next }, replace: true, resetScroll: false });
  return (
    <>
      <div className="mb-5 flex flex-wrap gap-3">
        <Choice label="Old" versions={versions} value={from} onChoose={(version) => choose({ from: version })} />
        <Choice label="New" versions={versions} value={to} onChoose={(version) => choose({ version })} />
      </div>
      <Difference key={`${from} ${to}`} subject={subject.subject} from={from} to={to} />
    </>
  );
}

interface ChoiceProps {
  label: string;
  versions: number[];
  value: number;
  onChoose: (version: number) => void;
}

function Choice({ label, versions, value, onChoose }: ChoiceProps) {
  return (
    <SelectField
      label={label}
      className="w-36 max-sm:flex-1"
      value={value}
      onChange={(event) => onChoose(Number(event.target.value))}
    >
      {versions.toReversed().map((version) => (
        <option key={version} value={version}>
          Version {version}
        </option>
      ))}
    </SelectField>
  );
}

function Difference({ subject, from, to }: { subject: string; from: number; to: number }) {
  const before = useQuery(versionQuery(subject, from));
  const after = useQuery(versionQuery(subject, to));
  const lines = useMemo(
    () =>
      before.data &&
      after.data &&
      pairs(
        pretty(before.data.schema ?? "", before.data.schemaType),
        pretty(after.data.schema ?? "", after.data.schemaType),
      ),
    [before.data, after.data],
  );
  const failed = [before, after].find((each) => each.isError);
  if (failed) {
    return (
      <ErrorState error={failed.error} title="The versions cannot be compared" onRetry={() => void failed.refetch()} />
    );
  }
  if (lines === undefined) return <Loading what="Reading the versions …" />;
  const differing = lines.filter((each) => !each.same).length;
  return (
    <Panel
      title={`Version ${from} and version ${to}`}
      note={differing === 0 ? "the same text" : `${counted(differing, "line")} differ${differing === 1 ? "s" : ""}`}
    >
      <DiffTable lines={lines} label={`Version ${from} beside version ${to}`} />
    </Panel>
  );
}
