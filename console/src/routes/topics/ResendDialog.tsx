// Sends a stored message once more, as it is: to its own topic, or to another one, such as a dead letter to where it came from.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { path, request, type Schemas } from "../../api/client";
import { topicsQuery } from "../../api/queries";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ErrorState } from "../../ui/ErrorState";
import { SelectField } from "../../ui/Field";
import { Stored } from "./Stored";

interface ResendDialogProps {
  topic: string;
  /** `partition:offset`. */
  place: string;
  onClose: () => void;
}

export function ResendDialog({ topic, place, onClose }: ResendDialogProps) {
  const others = (useQuery(topicsQuery).data ?? []).map((each) => each.name).filter((name) => name !== topic);
  const [to, setTo] = useState(topic);
  const [partition = "0", offset = "0"] = place.split(":");
  const post = useMutation({
    mutationFn: () =>
      request<Schemas["AppendResponse"]>(path("/api/v1/topics/{topic}/records/resend", { topic }), {
        body: { partition: Number(partition), offset, ...(to === topic ? {} : { to }) },
      }),
  });
  return (
    <Dialog title="Send this message again" onClose={onClose}>
      <p className="mb-3">
        A copy of partition {partition}, offset {offset} with the same key, value and headers is appended with the time
        of now. Who reads the topic reads it as a further message.
      </p>
      <SelectField
        label="To"
        value={to}
        onChange={(event) => {
          setTo(event.target.value);
          post.reset();
        }}
      >
        <option value={topic}>{topic}, the same partition</option>
        {others.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </SelectField>
      <div className="mt-3 space-y-3">
        {post.isError && <ErrorState error={post.error} title="It was not sent" />}
        {post.isSuccess && <Stored topic={to} at={post.data.offsets[0]} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{post.isSuccess ? "Done" : "Cancel"}</Button>
          {!post.isSuccess && (
            <Button kind="primary" disabled={post.isPending} onClick={() => post.mutate()}>
              {post.isPending ? "Sending …" : "Send again"}
            </Button>
          )}
        </div>
      </div>
    </Dialog>
  );
}
