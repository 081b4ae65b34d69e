// Sends an event by hand. It begins with one that the topic accepts, made from its contract and its last event.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { path, request, type Schemas } from "../../api/client";
import { parseExact, writeJson, type Json } from "../../api/json";
import { withMoments } from "../../api/post-command";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ErrorState } from "../../ui/ErrorState";
import { TextArea, TextField } from "../../ui/Field";
import { Loading } from "../../ui/Loading";
import { exampleQuery } from "../home/example";
import { Stored } from "./Stored";

interface SendDialogProps {
  topic: string;
  onClose: () => void;
}

export function SendDialog({ topic, onClose }: SendDialogProps) {
  const example = useQuery(exampleQuery(topic));
  return (
    <Dialog title={`Send an event to ${topic}`} onClose={onClose}>
      {example.isPending ? (
        <Loading what="Making an example …" />
      ) : (
        <SendForm topic={topic} example={example.data?.data ?? null} isDeclared={example.data?.isDeclared ?? false} />
      )}
    </Dialog>
  );
}

function SendForm({ topic, example, isDeclared }: { topic: string; example: Json; isDeclared: boolean }) {
  const [data, setData] = useState(() => {
    const now = new Date().toISOString();
    return writeJson(example === null ? { id: 1, at: now } : withMoments(example, now), 2);
  });
  const [key, setKey] = useState("");
  const problem = problemOf(data);
  const post = useMutation({
    mutationFn: () =>
      request<Schemas["AppendResponse"]>(path("/events/{topic}", { topic }), {
        body: parseExact(data),
        // As CloudEvents' HTTP binding has it: what is not plain ASCII is percent-encoded.
        headers: key === "" ? {} : { "ce-partitionkey": encodeURIComponent(key) },
      }),
  });
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (!problem) post.mutate();
      }}
    >
      <TextArea
        label="Data, as JSON"
        rows={Math.min(16, Math.max(6, data.split("\n").length))}
        value={data}
        problem={problem}
        onChange={(event) => setData(event.target.value)}
      />
      <TextField
        label="Key"
        mono
        placeholder={isDeclared ? "from the event's field, if its file names one" : "none: partitions take turns"}
        value={key}
        onChange={(event) => setKey(event.target.value)}
      />
      {post.isError && <ErrorState error={post.error} title="The event was not stored" />}
      {post.isSuccess && <Stored topic={topic} at={post.data.offsets[0]} />}
      <div className="flex justify-end">
        <Button type="submit" kind="primary" disabled={problem !== undefined || post.isPending}>
          {post.isPending ? "Sending …" : post.isSuccess ? "Send another" : "Send"}
        </Button>
      </div>
    </form>
  );
}

function problemOf(data: string): string | undefined {
  try {
    parseExact(data);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
