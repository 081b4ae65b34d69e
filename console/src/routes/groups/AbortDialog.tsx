// Asks before a transaction is aborted, and says whom it stops.
import { useQueryClient } from "@tanstack/react-query";
import { path, request } from "~/api/client";
import type { HeldPartition } from "~/api/queries";
import { ConfirmDialog } from "~/ui/ConfirmDialog";

/** The open transaction of an id, or one that no id knows. */
export type Abort = { id: string; held?: undefined } | { id?: undefined; held: HeldPartition };

export function AbortDialog({ abort, onClose }: { abort: Abort; onClose: () => void }) {
  const client = useQueryClient();
  const of = abort.id ?? `${abort.held.topic}/${abort.held.partition}`;
  return (
    <ConfirmDialog
      title={`Abort the transaction of ${of}?`}
      keep="Let it go on"
      confirm="Abort"
      doing="Aborting …"
      failure="It was not aborted"
      run={() => send(abort)}
      onDone={() => {
        void client.invalidateQueries({ queryKey: ["transactions"] });
        onClose();
      }}
      onClose={onClose}
    >
      <p>
        {abort.id === undefined
          ? "No transactional id knows it, so no producer will end it."
          : "Its producer is fenced: what it sends from then on is refused, until it begins again."}{" "}
        What it has written counts as aborted, and those who read committed records go on behind it.
      </p>
    </ConfirmDialog>
  );
}

function send(abort: Abort): Promise<unknown> {
  if (abort.id !== undefined) {
    return request(path("/api/v1/transactions/{id}/abort", { id: abort.id }), { method: "POST" });
  }
  const { topic, partition, start_offset } = abort.held;
  return request("/api/v1/transactions/abort", { body: { topic, partition, start_offset } });
}
