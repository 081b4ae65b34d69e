// Asks before a transaction is aborted, and says whom it stops.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { path, request } from "~/api/client";
import type { HeldPartition } from "~/api/queries";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { ErrorState } from "~/ui/ErrorState";

/** The open transaction of an id, or one that no id knows. */
export type Abort = { id: string; held?: undefined } | { id?: undefined; held: HeldPartition };

export function AbortDialog({ abort, onClose }: { abort: Abort; onClose: () => void }) {
  const client = useQueryClient();
  const send = useMutation({
    mutationFn: () =>
      abort.id === undefined
        ? request("/api/v1/transactions/abort", {
            body: {
              topic: abort.held.topic,
              partition: abort.held.partition,
              start_offset: abort.held.start_offset,
            },
          })
        : request(path("/api/v1/transactions/{id}/abort", { id: abort.id }), { method: "POST" }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["transactions"] });
      onClose();
    },
  });
  const of = abort.id ?? `${abort.held.topic}/${abort.held.partition}`;
  return (
    <Dialog title={`Abort the transaction of ${of}?`} onClose={onClose}>
      <p>
        {abort.id === undefined
          ? "No transactional id knows it, so no producer will end it."
          : "Its producer is fenced: what it sends from then on is refused, until it begins again."}{" "}
        What it has written counts as aborted, and those who read committed records go on behind it.
      </p>
      {send.isError && (
        <div className="mt-4">
          <ErrorState error={send.error} title="It was not aborted" />
        </div>
      )}
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={onClose}>Let it go on</Button>
        <Button kind="primary" disabled={send.isPending} onClick={() => send.mutate()}>
          {send.isPending ? "Aborting …" : "Abort"}
        </Button>
      </div>
    </Dialog>
  );
}
