// Asks before a group is deleted, and says what goes with it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { path, request } from "~/api/client";
import type { GroupView } from "~/api/queries";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { ErrorState } from "~/ui/ErrorState";
import { counted } from "~/ui/number";
import { MembersNotice } from "./MembersNotice";

export function DeleteDialog({ group, onClose }: { group: GroupView; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => request(path("/api/v1/groups/{group}", { group: group.id }), { method: "DELETE" }),
    onSuccess: async () => {
      await navigate({ to: "/groups" });
      client.removeQueries({ queryKey: ["groups", group.id] });
      void client.invalidateQueries({ queryKey: ["groups"] });
    },
  });
  return (
    <Dialog title={`Delete group ${group.id}?`} onClose={onClose}>
      <p>
        {group.offsets.length === 0
          ? "It has no committed offsets."
          : `Its committed offsets in ${counted(group.offsets.length, "partition")} are forgotten.`}{" "}
        Consumers that come back under this name begin where their own setting says (auto.offset.reset), so they may
        read events again or miss some. No event is deleted.
      </p>
      <MembersNotice group={group} />
      {remove.isError && (
        <div className="mt-4">
          <ErrorState error={remove.error} title="The group was not deleted" />
        </div>
      )}
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={onClose}>Keep it</Button>
        <Button kind="primary" disabled={group.members.length > 0 || remove.isPending} onClick={() => remove.mutate()}>
          {remove.isPending ? "Deleting …" : "Delete the group"}
        </Button>
      </div>
    </Dialog>
  );
}
