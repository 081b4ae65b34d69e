// Asks before a user is deleted, and says what stays.
import { path, request } from "~/api/client";
import { DeleteDialog } from "./DeleteDialog";

export function DeleteUserDialog({ user, onClose }: { user: string; onClose: () => void }) {
  return (
    <DeleteDialog
      title={`Delete user ${user}?`}
      changes="users"
      remove={() => request(path("/api/v1/users/{user}", { user }), { method: "DELETE" })}
      onClose={onClose}
    >
      It can no longer log in. Its rules and quotas stay: a user of the same name would have them. Connections of Kafka
      clients that are open stay too.
    </DeleteDialog>
  );
}
