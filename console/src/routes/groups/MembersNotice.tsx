// Why a group cannot be changed: its members have its offsets.
import type { GroupView } from "~/api/queries";
import { Notice } from "~/ui/Notice";
import { counted } from "~/ui/number";

export function MembersNotice({ group }: { group: GroupView }) {
  const count = group.members.length;
  if (count === 0) return null;
  const clients = [...new Set(group.members.map((each) => each.client_id || each.client_host))];
  const named = clients.slice(0, 3).join(", ") + (clients.length > 3 ? " …" : "");
  return (
    <Notice className="mt-4" title={`The group has ${counted(count, "member")}`}>
      Stop {count === 1 ? "it" : "them"} first ({named}): the offsets of a group with members are its members' to
      commit. This dialog goes on by itself once they are gone.
    </Notice>
  );
}
