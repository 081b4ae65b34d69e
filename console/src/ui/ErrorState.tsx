// What went wrong in the server's words, and what to do about it.
import type { ReactNode } from "react";
import { Problem, Unreachable } from "../api/problem";
import { Button } from "./Button";

interface ErrorStateProps {
  error: unknown;
  /** What was being done, as in "The topic cannot be shown". */
  title?: string;
  onRetry?: () => void;
  children?: ReactNode;
}

export function ErrorState({ error, title, onRetry, children }: ErrorStateProps) {
  const said = describe(error);
  return (
    <div role="alert" className="max-w-[var(--measure)] border-l-2 border-bad bg-bad-wash px-3.5 py-2.5">
      <p className="font-semibold text-bad">{title ?? said.title}</p>
      <p className="mt-0.5 break-words whitespace-pre-wrap">{withCode(said.detail)}</p>
      {said.near && (
        <p className="mt-1">
          Did you mean <code className="data">{said.near}</code>?
        </p>
      )}
      {children}
      {onRetry && (
        <Button className="mt-2.5" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

function describe(error: unknown): { title: string; detail: string; near?: string } {
  if (error instanceof Problem) return { title: error.title, detail: error.detail || error.title, near: error.near };
  if (error instanceof Unreachable) {
    return { title: "The server does not answer", detail: "This page goes on by itself as soon as it is back." };
  }
  return { title: "This cannot be shown", detail: error instanceof Error ? error.message : String(error) };
}

/** What the server puts between backticks is a name: set as one. */
function withCode(text: string): ReactNode[] {
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? (
      <code key={index} className="data">
        {part}
      </code>
    ) : (
      part
    ),
  );
}
