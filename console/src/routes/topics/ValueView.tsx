// A value in the form that suits it: JSON as a tree or as text, text as it is, anything else as bytes.
import { useState } from "react";
import { writeJson, type Json } from "../../api/json";
import type { RecordView } from "../../api/queries";
import { Button } from "../../ui/Button";
import { CopyButton } from "../../ui/Command";
import { download } from "../../ui/download";
import { JsonView } from "../../ui/JsonView";
import { bytes, grouped } from "../../ui/number";
import { bytesOf, HexView } from "./HexView";
import { Part } from "./MessageDetail";
import { binarySize } from "./message";

/** Text beyond this is shown when it is asked for. */
const LONG = 20_000;
/** Copying more than this would stall the page. */
const COPIED = 1_000_000;

export function ValueView({ record, name }: { record: RecordView; name: string }) {
  const [asText, setAsText] = useState(false);
  if (record.value_encoding === "null") {
    return (
      <Part title="Value">
        <p className="text-ink-soft">None: a tombstone. Compaction removes earlier messages of this key.</p>
      </Part>
    );
  }
  if (record.value_encoding === "base64") {
    const base64 = String(record.value);
    return (
      <Part
        title={`Value · binary, ${bytes(binarySize(base64))}`}
        actions={<Download name={`${name}.bin`} content={() => bytesOf(base64)} />}
      >
        <HexView base64={base64} label="Value" />
      </Part>
    );
  }
  const json = record.value_encoding === "json";
  const text = json ? writeJson(record.value as Json, asText ? 2 : 0) : String(record.value);
  return (
    <Part
      title={`Value · ${json ? "JSON" : "text"}, ${grouped(text.length)} characters`}
      actions={
        <span className="flex items-center gap-1">
          {json && (
            <Button kind="bare" small onClick={() => setAsText(!asText)}>
              {asText ? "As a tree" : "As text"}
            </Button>
          )}
          {text.length <= COPIED && <CopyButton text={text} label="Copy the value" />}
          {text.length > LONG && <Download name={`${name}.${json ? "json" : "txt"}`} content={() => text} />}
        </span>
      }
    >
      {json && !asText ? <JsonView value={record.value as Json} label="Value" /> : <LongText text={text} />}
    </Part>
  );
}

function LongText({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const cut = !all && text.length > LONG;
  return (
    <>
      <pre data-testid="value-text" className="data break-all whitespace-pre-wrap">
        {cut ? text.slice(0, LONG) : text}
      </pre>
      {cut && (
        <Button className="mt-2" onClick={() => setAll(true)}>
          Show all {grouped(text.length)} characters
        </Button>
      )}
    </>
  );
}

function Download({ name, content }: { name: string; content: () => BlobPart }) {
  return (
    <Button kind="bare" small onClick={() => download(name, new Blob([content()]))}>
      Download
    </Button>
  );
}
