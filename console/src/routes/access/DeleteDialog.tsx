// Asks before something of users, rules or quotas is deleted.
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ConfirmDialog } from "~/ui/ConfirmDialog";

interface DeleteDialogProps {
  title: string;
  /** The key of what is read again afterwards. */
  changes: "users" | "acls" | "quotas";
  remove: () => Promise<unknown>;
  onClose: () => void;
  /** What it means. */
  children: ReactNode;
}

export function DeleteDialog({ title, changes, remove, onClose, children }: DeleteDialogProps) {
  const client = useQueryClient();
  return (
    <ConfirmDialog
      title={title}
      keep="Keep it"
      confirm="Delete"
      doing="Deleting …"
      failure="It was not deleted"
      run={remove}
      onDone={() => {
        void client.invalidateQueries({ queryKey: [changes] });
        onClose();
      }}
      onClose={onClose}
    >
      <p>{children}</p>
    </ConfirmDialog>
  );
}
