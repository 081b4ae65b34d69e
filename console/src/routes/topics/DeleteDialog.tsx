// Asks before a topic is deleted with all its events: its name is to be typed.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { path, request } from "../../api/client";
import { topicGroupsQuery, type TopicView } from "../../api/queries";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ErrorState } from "../../ui/ErrorState";
import { TextField } from "../../ui/Field";
import { Notice } from "../../ui/Notice";
import { counted } from "../../ui/number";

export function DeleteDialog({ topic, onClose }: { topic: TopicView; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const groups = useQuery(topicGroupsQuery(topic.name)).data ?? [];
  const readers = groups.reduce((sum, each) => sum + each.members, 0);
  const remove = useMutation({
    mutationFn: () => request(path("/api/v1/topics/{topic}", { topic: topic.name }), { method: "DELETE" }),
    onSuccess: async () => {
      await navigate({ to: "/topics" });
      client.removeQueries({ queryKey: ["topics", topic.name] });
      void client.invalidateQueries({ queryKey: ["topics"] });
    },
  });
  const events = topic.partitions.reduce((sum, each) => sum + BigInt(each.high_watermark) - BigInt(each.log_start), 0n);
  return (
    <Dialog title={`Delete topic ${topic.name}?`} onClose={onClose}>
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === topic.name) remove.mutate();
        }}
      >
        <p>
          All it holds goes with it: {counted(events, "event")} in {counted(topic.partitions.length, "partition")}. This
          cannot be undone.
        </p>
        {readers > 0 && (
          <Notice title={`${counted(readers, "member")} of consumer groups read it`}>
            {groups.map((each) => each.id).join(", ")}
          </Notice>
        )}
        {topic.team && (
          <Notice title={`The project of team ${topic.team} declares it`}>
            It is created again, empty, when the project is applied. Take its file out of the project first.
          </Notice>
        )}
        <TextField
          label="Its name, to confirm"
          mono
          placeholder={topic.name}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        {remove.isError && <ErrorState error={remove.error} title="The topic was not deleted" />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep it</Button>
          <Button type="submit" kind="primary" disabled={typed !== topic.name || remove.isPending}>
            {remove.isPending ? "Deleting …" : "Delete the topic"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
