// Asks before a group is deleted, and says what goes with it.
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { path, request } from "~/api/client";
import type { GroupView } from "~/api/queries";
import { ConfirmDialog } from "~/ui/ConfirmDialog";
import { counted } from "~/ui/number";
import { MembersNotice } from "./MembersNotice";

export function DeleteDialog({ group, onClose }: { group: GroupView; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <ConfirmDialog
      title={`Delete group ${group.id}?`}
      keep="Keep it"
      confirm="Delete the group"
      doing="Deleting …"
      failure="The group was not deleted"
      disabled={group.members.length > 0}
      run={() => request(path("/api/v1/groups/{group}", { group: group.id }), { method: "DELETE" })}
      onDone={async () => {
        await navigate({ to: "/groups" });
        client.removeQueries({ queryKey: ["groups", group.id] });
        void client.invalidateQueries({ queryKey: ["groups"] });
      }}
      onClose={onClose}
    >
      <p>
        {group.offsets.length === 0
          ? "It has no committed offsets."
          : `Its committed offsets in ${counted(group.offsets.length, "partition")} are forgotten.`}{" "}
        Consumers that come back under this name begin where their own setting says (auto.offset.reset), so they may
        read events again or miss some. No event is deleted.
      </p>
      <MembersNotice group={group} />
    </ConfirmDialog>
  );
}
