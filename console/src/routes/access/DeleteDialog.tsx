// Asks before something of users, rules or quotas is deleted.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { ErrorState } from "~/ui/ErrorState";

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
  const send = useMutation({
    mutationFn: remove,
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: [changes] });
      onClose();
    },
  });
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{children}</p>
      {send.isError && (
        <div className="mt-4">
          <ErrorState error={send.error} title="It was not deleted" />
        </div>
      )}
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={onClose}>Keep it</Button>
        <Button kind="primary" disabled={send.isPending} onClick={() => send.mutate()}>
          {send.isPending ? "Deleting …" : "Delete"}
        </Button>
      </div>
    </Dialog>
  );
}
