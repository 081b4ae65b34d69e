// Makes a file of the messages that a search finds.
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { path, request } from "../../api/client";
import type { TopicView } from "../../api/queries";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { download } from "../../ui/download";
import { ErrorState } from "../../ui/ErrorState";
import { SelectField } from "../../ui/Field";
import { counted, grouped } from "../../ui/number";
import { fetchRecords, type Start } from "./browse";
import { exportMessages, MOST, type ExportProgress, type Format } from "./export";
import type { Matcher } from "./matcher";

interface ExportDialogProps {
  topic: string;
  partition: number | undefined;
  start: Start;
  filter: Matcher;
  filtered: boolean;
  onClose: () => void;
}

export function ExportDialog({ topic, partition, start, filter, filtered, onClose }: ExportDialogProps) {
  const [format, setFormat] = useState<Format>("ndjson");
  const [progress, setProgress] = useState<ExportProgress | null>(null);
  const stop = useRef(new AbortController());
  useEffect(() => {
    stop.current = new AbortController();
    return () => stop.current.abort();
  }, []);
  const write = useMutation({
    mutationFn: async () => {
      const { partitions } = await request<TopicView>(path("/api/v1/topics/{topic}", { topic }));
      const chosen = partitions.filter((each) => partition === undefined || each.partition === partition);
      const options = { fetch: fetchRecords(topic), start, matcher: filter, partitions: chosen, format };
      return exportMessages({ ...options, onProgress: setProgress, signal: stop.current.signal });
    },
    onSuccess: ({ content }) => download(`${topic}.${format}`, content),
  });
  return (
    <Dialog title={`Export messages of ${topic}`} onClose={onClose}>
      <p className="mb-3">
        {filtered ? "The messages that match" : "The messages"} from where the list begins, whole and in its order,{" "}
        {grouped(MOST)} at most.
      </p>
      <SelectField label="As" value={format} onChange={(event) => setFormat(event.target.value as Format)}>
        <option value="ndjson">NDJSON: one JSON document a line, headers included</option>
        <option value="csv">CSV: partition, offset, timestamp, key, value</option>
      </SelectField>
      <div className="mt-3 space-y-3">
        {write.isError && <ErrorState error={write.error} title="The file was not written" />}
        <p role="status" className="label figures min-h-5">
          {write.isSuccess
            ? `${counted(write.data.messages, "message")} written${write.data.isCut ? "; there are more, narrow the search to have them" : ""}.`
            : write.isPending && progress
              ? `${grouped(progress.messages)} of ${grouped(progress.looked_at)} looked at …`
              : ""}
        </p>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{write.isSuccess ? "Done" : "Cancel"}</Button>
          <Button kind="primary" disabled={write.isPending} onClick={() => write.mutate()}>
            {write.isPending ? "Reading …" : "Export"}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
