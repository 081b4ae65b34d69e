// Asks before a subject or a version of it is deleted: the name of the subject is to be typed.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { path, request } from "~/api/client";
import type { SubjectView } from "~/api/queries";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { ErrorState } from "~/ui/ErrorState";
import { SelectField, TextField } from "~/ui/Field";
import { Notice } from "~/ui/Notice";
import { counted } from "~/ui/number";

export function DeleteDialog({ subject, onClose }: { subject: SubjectView; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [version, setVersion] = useState("");
  const [forGood, setForGood] = useState(false);
  const [typed, setTyped] = useState("");
  const whole = version === "" || subject.versions.length === 1;
  const remove = useMutation({
    mutationFn: async () => {
      const names = { subject: subject.subject, version };
      const to = path(version === "" ? "/subjects/{subject}" : "/subjects/{subject}/versions/{version}", names);
      await request(to, { method: "DELETE" });
      // The registry deletes for good only what is deleted.
      if (forGood) await request(to, { method: "DELETE", query: { permanent: true } });
    },
    onSuccess: async () => {
      if (whole) {
        await navigate({ to: "/registry" });
        client.removeQueries({ queryKey: ["subjects", "one", subject.subject] });
      } else {
        await navigate({ to: "/registry/$subject", params: { subject: subject.subject }, search: {} });
      }
      void client.invalidateQueries({ queryKey: ["subjects"] });
    },
    // The first of the two requests may have been done.
    onError: () => void client.invalidateQueries({ queryKey: ["subjects"] }),
  });
  return (
    <Dialog title={`Delete from subject ${subject.subject}?`} onClose={onClose}>
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === subject.subject) remove.mutate();
        }}
      >
        <SelectField label="What" value={version} onChange={(event) => setVersion(event.target.value)}>
          <option value="">The subject with {counted(subject.versions.length, "version")}</option>
          {subject.versions.toReversed().map((each) => (
            <option key={each.version} value={each.version}>
              Version {each.version} alone
            </option>
          ))}
        </SelectField>
        <label className="flex cursor-pointer items-baseline gap-2.5">
          <input
            type="checkbox"
            className="translate-y-px accent-[var(--accent)]"
            checked={forGood}
            onChange={(event) => setForGood(event.target.checked)}
          />
          For good
        </label>
        {forGood ? (
          <Notice tone="bad" title="This cannot be undone">
            Schema ids that no other subject has are gone: events that were written with them can no longer be read.
          </Notice>
        ) : (
          <p>
            It is no longer found by its name. Events that were written with its schema ids can still be read, and the
            same schema can be registered again.
          </p>
        )}
        <TextField
          label="The name of the subject, to confirm"
          mono
          placeholder={subject.subject}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        {remove.isError && <ErrorState error={remove.error} title="It was not deleted" />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep it</Button>
          <Button type="submit" kind="primary" disabled={typed !== subject.subject || remove.isPending}>
            {remove.isPending ? "Deleting …" : "Delete"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
