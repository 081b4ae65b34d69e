// What is set for a subject: its compatibility level; and its end.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { path, request } from "~/api/client";
import type { SubjectView } from "~/api/queries";
import { Button } from "~/ui/Button";
import { ErrorState } from "~/ui/ErrorState";
import { Panel } from "~/ui/Panel";
import { DeleteDialog } from "./DeleteDialog";
import { LEVELS } from "./levels";
import { Mode } from "./Mode";

export function Settings({ subject }: { subject: SubjectView }) {
  const [deleting, setDeleting] = useState(false);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-x-10 gap-y-9 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <Panel
        title="Compatibility level"
        note={subject.sets_compatibility ? "set for this subject" : "as it is for all subjects, or its context"}
      >
        <Level subject={subject} />
      </Panel>
      <div className="min-w-0 space-y-9">
        <Panel title="Mode" note="what may be done with it">
          <Mode subject={subject.subject} />
        </Panel>
        <Panel
          title="Delete"
          note="the subject, or a version of it"
          actions={
            <Button small onClick={() => setDeleting(true)}>
              Delete …
            </Button>
          }
        >
          {deleting && <DeleteDialog subject={subject} onClose={() => setDeleting(false)} />}
        </Panel>
      </div>
    </div>
  );
}

function Level({ subject }: { subject: SubjectView }) {
  const client = useQueryClient();
  const [chosen, setChosen] = useState(subject.compatibility);
  const change = useMutation({
    // Without a level of its own, it has that of its context or of all subjects; its other settings stay.
    mutationFn: (level: string | null) =>
      request(path("/config/{subject}", { subject: subject.subject }), {
        method: "PUT",
        body: { compatibility: level },
      }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["subjects"] });
      const now = client.getQueryData<SubjectView>(["subjects", "one", subject.subject]);
      setChosen(now?.compatibility ?? subject.compatibility);
    },
  });
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate(chosen);
      }}
    >
      <fieldset>
        <legend className="sr-only">Compatibility level</legend>
        {LEVELS.map(({ level, name, means }) => (
          <label
            key={level}
            className="flex cursor-pointer items-baseline gap-3 border-b border-rule py-1.5 hover:bg-sunken"
          >
            <input
              type="radio"
              name="level"
              className="translate-y-px accent-[var(--accent)]"
              value={level}
              checked={chosen === level}
              onChange={() => {
                setChosen(level);
                change.reset();
              }}
            />
            <span className="min-w-0">
              {name}
              <span className="label block">{means}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {change.isError && <ErrorState error={change.error} title="The level was not changed" />}
      <div className="flex flex-wrap items-center gap-2">
        <Button
          type="submit"
          kind="primary"
          disabled={change.isPending || (subject.sets_compatibility && chosen === subject.compatibility)}
        >
          Set for this subject
        </Button>
        <Button disabled={!subject.sets_compatibility || change.isPending} onClick={() => change.mutate(null)}>
          As for all subjects
        </Button>
        {change.isSuccess && (
          <span role="status" className="font-medium text-good">
            It is {subject.compatibility} now.
          </span>
        )}
      </div>
    </form>
  );
}
