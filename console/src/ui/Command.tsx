// A command to be run in a terminal, with a button that copies it.
import { useEffect, useState } from "react";
import { Button } from "./Button";

export function Command({ text, label = "command" }: { text: string; label?: string }) {
  return (
    <div className="flex items-start gap-2 rounded-box border border-rule bg-sunken py-1 pr-1 pl-2.5">
      <pre
        tabIndex={0}
        aria-label={label}
        className="data max-h-[calc(6*1.625em+0.5rem)] min-w-0 flex-1 overflow-y-auto py-1 leading-relaxed [overflow-wrap:anywhere] whitespace-pre-wrap"
      >
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
    <Button kind="bare" className="h-7 min-w-16 px-2 text-small" aria-label={label} onClick={copy}>
      <span aria-live="polite">{state === "idle" ? "Copy" : state === "copied" ? "Copied" : "Select it"}</span>
    </Button>
  );
}
