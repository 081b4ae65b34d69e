// Creates a topic: its name, its partitions, and what is most often set.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { request } from "../../api/client";
import type { Json } from "../../api/json";
import type { TopicView } from "../../api/queries";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ErrorState } from "../../ui/ErrorState";
import { SelectField, TextField } from "../../ui/Field";

export function CreateDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [wish, setWish] = useState({ name: "", partitions: "", retention: "", cleanup_policy: "" });
  const create = useMutation({
    mutationFn: () => request<TopicView>("/api/v1/topics", { body: bodyOf(wish) }),
    onSuccess: async (topic) => {
      void client.invalidateQueries({ queryKey: ["topics"] });
      await navigate({ to: "/topics/$topic", params: { topic: topic.name } });
    },
  });
  const change = (next: Partial<typeof wish>) => {
    setWish((now) => ({ ...now, ...next }));
    create.reset();
  };
  const problem = /^\d{0,6}$/.test(wish.partitions.trim()) ? undefined : "a whole number";
  return (
    <Dialog title="Create a topic" onClose={onClose}>
      <form
        className="grid grid-cols-2 gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (wish.name !== "" && !problem) create.mutate();
        }}
      >
        <TextField
          label="Name"
          mono
          className="col-span-2"
          placeholder="team.event, such as store.refunds"
          value={wish.name}
          onChange={(event) => change({ name: event.target.value.trim() })}
        />
        <TextField
          label="Partitions"
          inputMode="numeric"
          placeholder="server default"
          value={wish.partitions}
          problem={problem}
          onChange={(event) => change({ partitions: event.target.value })}
        />
        <TextField
          label="Kept for"
          placeholder="server default; 7d, forever …"
          value={wish.retention}
          onChange={(event) => change({ retention: event.target.value })}
        />
        <SelectField
          label="Old events"
          className="col-span-2"
          value={wish.cleanup_policy}
          onChange={(event) => change({ cleanup_policy: event.target.value })}
        >
          <option value="">Server default</option>
          <option value="delete">Deleted when they have been kept long enough</option>
          <option value="compact">Compacted: the latest of each key stays</option>
          <option value="compact,delete">Compacted, and deleted</option>
        </SelectField>
        {create.isError && (
          <div className="col-span-2">
            <ErrorState error={create.error} title="The topic was not created" />
          </div>
        )}
        <div className="col-span-2 flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={wish.name === "" || problem !== undefined || create.isPending}>
            {create.isPending ? "Creating …" : "Create"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface Wish {
  name: string;
  partitions: string;
  retention: string;
  cleanup_policy: string;
}

function bodyOf({ name, partitions, retention, cleanup_policy }: Wish): Json {
  const config: Record<string, Json> = {};
  if (retention.trim() !== "") config.retention = retention.trim();
  if (cleanup_policy !== "") config.cleanup_policy = cleanup_policy;
  return { name, ...(partitions.trim() === "" ? {} : { partitions: Number(partitions) }), config };
}
