// Asks before something is done that cannot be taken back, and shows why it was not done.
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { ErrorState } from "./ErrorState";

interface ConfirmDialogProps {
  /** The question. */
  title: string;
  /** What not doing it is called. */
  keep: string;
  /** What doing it is called, and while it is being done. */
  confirm: string;
  doing: string;
  /** As in "It was not deleted". */
  failure: string;
  disabled?: boolean;
  run: () => Promise<unknown>;
  onDone: () => void | Promise<void>;
  onClose: () => void;
  /** What it means. */
  children: ReactNode;
}

export function ConfirmDialog(props: ConfirmDialogProps) {
  const send = useMutation({ mutationFn: props.run, onSuccess: props.onDone });
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      {props.children}
      {send.isError && (
        <div className="mt-4">
          <ErrorState error={send.error} title={props.failure} />
        </div>
      )}
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={props.onClose}>{props.keep}</Button>
        <Button kind="primary" disabled={props.disabled || send.isPending} onClick={() => send.mutate()}>
          {send.isPending ? props.doing : props.confirm}
        </Button>
      </div>
    </Dialog>
  );
}
