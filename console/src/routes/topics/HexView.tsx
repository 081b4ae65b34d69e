// Bytes, eight a line: offset, hexadecimal, printable text.
import { useMemo, useState } from "react";
import { Button } from "../../ui/Button";
import { grouped } from "../../ui/number";

const FIRST = 256;
const MORE = 4_096;
const LINE = 8;

export function HexView({ base64, label }: { base64: string; label: string }) {
  const data = useMemo(() => bytesOf(base64), [base64]);
  const [shown, setShown] = useState(FIRST);
  return (
    <>
      <pre tabIndex={0} aria-label={`${label} in hexadecimal`} className="data overflow-x-auto leading-[1.55]">
        {dump(data.subarray(0, shown))}
      </pre>
      {data.length > shown && (
        <span className="mt-2 flex gap-2">
          <Button onClick={() => setShown(shown + MORE)}>Show more</Button>
          <Button onClick={() => setShown(data.length)}>Show all {grouped(data.length)} bytes</Button>
        </span>
      )}
    </>
  );
}

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const data = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) data[index] = text.charCodeAt(index);
  return data;
}

function dump(data: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < data.length; at += LINE) {
    const line = [...data.subarray(at, at + LINE)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = line.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(LINE * 3)} ${text}`);
  }
  return lines.join("\n");
}
