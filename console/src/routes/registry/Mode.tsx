// What may be done with a subject: written, read alone, or imported into.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { path, request } from "~/api/client";
import { modeQuery } from "~/api/queries";
import { ErrorState } from "~/ui/ErrorState";
import { SelectField } from "~/ui/Field";
import { Loading } from "~/ui/Loading";

const MODES = [
  { mode: "READWRITE", means: "Versions can be registered and deleted." },
  { mode: "READONLY", means: "Versions can be read alone." },
  {
    mode: "IMPORT",
    means: "Versions are registered with ids of their own; only a subject without versions can begin it.",
  },
];

export function Mode({ subject }: { subject: string }) {
  const client = useQueryClient();
  const mode = useQuery(modeQuery(subject));
  const change = useMutation({
    mutationFn: (wanted: string) =>
      request(path("/mode/{subject}", { subject }), { method: "PUT", body: { mode: wanted } }),
    onSettled: () => client.invalidateQueries({ queryKey: modeQuery(subject).queryKey }),
  });
  if (mode.isPending) return <Loading what="Reading the mode …" />;
  if (mode.data === undefined) return <ErrorState error={mode.error} title="The mode cannot be read" />;
  const known = MODES.some((each) => each.mode === mode.data);
  return (
    <div className="space-y-3">
      <SelectField
        label="Mode"
        className="w-48"
        value={mode.data}
        disabled={change.isPending}
        onChange={(event) => change.mutate(event.target.value)}
      >
        {!known && <option value={mode.data}>{mode.data}</option>}
        {MODES.map((each) => (
          <option key={each.mode} value={each.mode}>
            {each.mode}
          </option>
        ))}
      </SelectField>
      <p className="label">{MODES.find((each) => each.mode === mode.data)?.means}</p>
      {change.isError && <ErrorState error={change.error} title="The mode was not changed" />}
    </div>
  );
}
