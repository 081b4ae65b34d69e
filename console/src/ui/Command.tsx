// A command to be run in a terminal, with a button that copies it. Its lines stay lines; what is too long fades out and
// scrolls. On a phone, lines break and the command scrolls down.
import { useEffect, useState } from "react";
import { Button } from "./Button";

export function Command({ text, label = "command" }: { text: string; label?: string }) {
  return (
    <div className="flex items-start gap-2 rounded-box border border-rule bg-sunken py-1 pr-1 pl-2.5">
      <pre tabIndex={0} aria-label={label} className="command fade-end data min-w-0 flex-1 py-1 leading-relaxed">
        {text}
      </pre>
      <CopyButton text={text} label={`Copy ${label}`} />
    </div>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<"idle" | "copied" | "refused">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 1_600);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () =>
    navigator.clipboard?.writeText(text).then(
      () => setState("copied"),
      () => setState("refused"),
    ) ?? setState("refused");
  return (
    <Button kind="bare" small className="min-w-14" aria-label={label} onClick={copy}>
      <span aria-live="polite">{state === "idle" ? "Copy" : state === "copied" ? "Copied" : "Select it"}</span>
    </Button>
  );
}
