// Moves a group to another position: the preview says from where to where in each partition before anything is moved.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { path, request, type Schemas } from "~/api/client";
import type { GroupView } from "~/api/queries";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { ErrorState } from "~/ui/ErrorState";
import { SelectField, TextField } from "~/ui/Field";
import { localTime } from "~/ui/localTime";
import { MembersNotice } from "./MembersNotice";
import { MovedTable } from "./MovedTable";
import { bodyOf, PLACES, type Place, type Wish } from "./reset";

type Result = Schemas["ResetOffsetsResult"];

export function ResetDialog({ group, onClose }: { group: GroupView; onClose: () => void }) {
  const client = useQueryClient();
  const topics = [...new Set(group.offsets.map((each) => each.topic))];
  const [wish, setWish] = useState<Wish>({
    topic: topics.length === 1 ? topics[0] : undefined,
    partitions: "",
    place: "earliest",
    offset: "0",
    at: new Date(Date.now() - 3_600_000).toISOString(),
    shift: "-100",
  });
  const body = bodyOf(wish);
  const send = (dry_run: boolean) =>
    request<Result>(path("/api/v1/groups/{group}/offsets", { group: group.id }), {
      body: { ...body.request, dry_run },
    });
  const preview = useMutation({ mutationFn: () => send(true) });
  const apply = useMutation({
    mutationFn: () => send(false),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["groups"] }),
  });
  const change = (next: Partial<Wish>) => {
    setWish((now) => ({ ...now, ...next }));
    // What was shown is of another wish.
    preview.reset();
    apply.reset();
  };
  const { members } = group;
  return (
    <Dialog title={`Reset the offsets of ${group.id}`} onClose={onClose}>
      <form
        className="grid grid-cols-2 gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (!body.problem) preview.mutate();
        }}
      >
        <Inputs wish={wish} topics={topics} change={change} problem={body} />
        <div className="col-span-2 flex justify-end">
          <Button type="submit" disabled={body.problem !== undefined || preview.isPending}>
            {preview.isPending ? "Reading …" : "Preview"}
          </Button>
        </div>
      </form>
      {preview.isError && (
        <div className="mt-4">
          <ErrorState error={preview.error} title="It cannot be reset like that" />
        </div>
      )}
      {preview.data && <MovedTable moved={(apply.data ?? preview.data).offsets} />}
      <MembersNotice group={group} />
      {apply.isError && (
        <div className="mt-4">
          <ErrorState error={apply.error} title="Nothing was moved" />
        </div>
      )}
      <div className="mt-5 flex flex-wrap items-center justify-end gap-2">
        {apply.isSuccess ? (
          <>
            <p role="status" className="mr-auto font-medium text-good">
              The offsets are reset.
            </p>
            <Button kind="primary" onClick={onClose}>
              Done
            </Button>
          </>
        ) : (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button
              kind="primary"
              disabled={!preview.data || members.length > 0 || apply.isPending}
              onClick={() => apply.mutate()}
            >
              {apply.isPending ? "Resetting …" : "Reset offsets"}
            </Button>
          </>
        )}
      </div>
    </Dialog>
  );
}

interface InputsProps {
  wish: Wish;
  topics: string[];
  change: (next: Partial<Wish>) => void;
  problem: ReturnType<typeof bodyOf>;
}

function Inputs({ wish, topics, change, problem }: InputsProps) {
  const wrong = (field: string) => (problem.field === field ? problem.problem : undefined);
  return (
    <>
      <SelectField
        label="Topic"
        className="max-sm:col-span-2"
        value={wish.topic ?? ""}
        onChange={(event) => change({ topic: event.target.value || undefined, partitions: "" })}
      >
        {topics.length > 1 && <option value="">All {topics.length} topics</option>}
        {topics.map((topic) => (
          <option key={topic} value={topic}>
            {topic}
          </option>
        ))}
      </SelectField>
      <TextField
        label="Partitions"
        className="max-sm:col-span-2"
        placeholder={wish.topic === undefined ? "all; choose a topic to name some" : "all; or such as 0, 3-5"}
        disabled={wish.topic === undefined}
        value={wish.partitions}
        problem={wrong("partitions")}
        onChange={(event) => change({ partitions: event.target.value })}
      />
      <SelectField
        label="To"
        className="max-sm:col-span-2"
        value={wish.place}
        onChange={(event) => change({ place: event.target.value as Place })}
      >
        {PLACES.map(({ place, name }) => (
          <option key={place} value={place}>
            {name}
          </option>
        ))}
      </SelectField>
      {wish.place === "offset" && (
        <TextField
          label="Offset"
          className="max-sm:col-span-2"
          inputMode="numeric"
          value={wish.offset}
          problem={wrong("offset")}
          onChange={(event) => change({ offset: event.target.value })}
        />
      )}
      {wish.place === "shift" && (
        <TextField
          label="Events on, back if negative"
          className="max-sm:col-span-2"
          value={wish.shift}
          problem={wrong("shift")}
          onChange={(event) => change({ shift: event.target.value })}
        />
      )}
      {wish.place === "time" && (
        <TextField
          label="Time (yours)"
          className="max-sm:col-span-2"
          type="datetime-local"
          step="1"
          value={localTime(wish.at)}
          onChange={(event) => event.target.value && change({ at: new Date(event.target.value).toISOString() })}
        />
      )}
    </>
  );
}
