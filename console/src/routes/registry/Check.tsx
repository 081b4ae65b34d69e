// Whether a schema that is pasted could be the next version, in words, and each reason why not. Nothing is registered.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { path, request } from "~/api/client";
import { versionQuery, type SchemaImpact, type SubjectView } from "~/api/queries";
import { Button } from "~/ui/Button";
import { ErrorState } from "~/ui/ErrorState";
import { SelectField, TextArea } from "~/ui/Field";
import { counted } from "~/ui/number";
import { TableFrame, type TableColumn } from "~/ui/Table";
import { FORMATS } from "./formats";
import { levelMeans } from "./levels";
import { Impact } from "./Impact";

export function Check({ subject }: { subject: SubjectView }) {
  const latest = subject.versions.at(-1);
  const [text, setText] = useState("");
  const [type, setType] = useState(latest?.schema_type ?? "AVRO");
  const [against, setAgainst] = useState("");
  const current = useQuery({ ...versionQuery(subject.subject, latest?.version ?? 0), enabled: latest !== undefined });
  const references = current.data?.references ?? [];
  const check = useMutation({
    mutationFn: () => {
      const to = path("/api/v1/subjects/{subject}/check", { subject: subject.subject });
      const body = { schema: text, schemaType: type, references: references.map((each) => ({ ...each })) };
      return request<SchemaImpact>(to, { query: { version: against || undefined }, body });
    },
  });
  const change = (apply: () => void) => {
    apply();
    check.reset();
  };
  return (
    <>
      <form
        className="max-w-[60rem] space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") check.mutate();
        }}
      >
        <TextArea
          label="A schema"
          rows={12}
          placeholder="Paste it here: it is compared, and not registered."
          value={text}
          onChange={(event) => change(() => setText(event.target.value))}
        />
        <div className="flex flex-wrap items-end gap-3">
          <SelectField
            label="Format"
            className="w-36 max-sm:flex-1"
            value={type}
            onChange={(event) => change(() => setType(event.target.value))}
          >
            {FORMATS.map((each) => (
              <option key={each.type} value={each.type}>
                {each.name}
              </option>
            ))}
          </SelectField>
          <SelectField
            label="Against"
            className="w-64 max-sm:w-full"
            value={against}
            onChange={(event) => change(() => setAgainst(event.target.value))}
          >
            <option value="">What {subject.compatibility} asks for</option>
            {subject.versions.toReversed().map(({ version }) => (
              <option key={version} value={version}>
                Version {version}
              </option>
            ))}
          </SelectField>
          <Button type="submit" kind="primary" disabled={text.trim() === "" || check.isPending}>
            {check.isPending ? "Checking …" : "Check"}
          </Button>
        </div>
        <p className="label">
          {levelMeans(subject.compatibility)}
          {references.length > 0 && ` What it refers to is as in version ${latest?.version}.`}
        </p>
      </form>
      <div className="mt-6 max-w-[60rem]" aria-live="polite">
        {check.isError && <ErrorState error={check.error} title="It cannot be checked" />}
        {check.data && (
          <>
            <Verdict check={check.data} subject={subject} against={against} />
            {check.data.topic && <Impact readers={check.data.readers} summary={check.data.summary} />}
          </>
        )}
      </div>
    </>
  );
}

interface VerdictProps {
  check: SchemaImpact;
  subject: SubjectView;
  against: string;
}

function Verdict({ check, subject, against }: VerdictProps) {
  const what = against === "" ? `the versions that ${subject.compatibility} asks for` : `version ${against}`;
  if (check.is_compatible) {
    return (
      <div role="status" className="border-l-2 border-good bg-good-wash px-3 py-2">
        <p className="font-semibold text-good">Compatible</p>
        <p className="mt-0.5">It is compatible with {what}.</p>
      </div>
    );
  }
  const { reasons } = check;
  return (
    <>
      <div role="status" className="mb-3 border-l-2 border-bad bg-bad-wash px-3 py-2">
        <p className="font-semibold text-bad">Not compatible</p>
        <p className="mt-0.5">
          {reasons.length === 0
            ? `It is not compatible with ${what}.`
            : `It is not compatible with ${what}, for ${counted(reasons.length, "reason")}.`}
        </p>
      </div>
      {reasons.length > 0 && (
        <TableFrame label="Reasons" columns={REASONS} rows={reasons} rowKey={(each) => `${reasons.indexOf(each)}`} />
      )}
    </>
  );
}

const REASONS: TableColumn<SchemaImpact["reasons"][number]>[] = [
  {
    title: "Path",
    width: "34%",
    cell: (each) => <span className="data break-all">{each.path || "the whole schema"}</span>,
  },
  {
    title: "Reason",
    cell: (each) => (
      <>
        {each.reason}
        {each.kind && <span className="label block break-all">{each.kind}</span>}
      </>
    ),
  },
  {
    title: "Version",
    width: "5rem",
    align: "right",
    cell: (each) => <span className="figures">{each.version}</span>,
  },
];
