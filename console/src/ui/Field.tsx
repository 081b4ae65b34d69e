// Inputs with their labels. A label is always there; `hideLabel` keeps it for assistive technology only.
import {
  useId,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
} from "react";

interface Labelled {
  label: string;
  hideLabel?: boolean;
  /** What is wrong with the value; announced, and shown below. */
  problem?: string;
}

const BOX =
  "w-full min-w-0 rounded-box border bg-raised px-2 text-text placeholder:text-ink-soft aria-invalid:border-bad disabled:opacity-50";
const CONTROL = `h-8 ${BOX}`;

export function TextField({
  label,
  hideLabel,
  problem,
  className = "",
  mono,
  ...rest
}: Labelled & { mono?: boolean } & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <Frame id={id} label={label} hideLabel={hideLabel} problem={problem} className={className}>
      <input
        id={id}
        type="text"
        autoComplete="off"
        spellCheck={false}
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-problem` : undefined}
        className={`${CONTROL} border-rule-strong/60 ${mono ? "data" : ""}`}
        {...rest}
      />
    </Frame>
  );
}

/** Several lines, set in monospace. */
export function TextArea({
  label,
  hideLabel,
  problem,
  className = "",
  ...rest
}: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const id = useId();
  return (
    <Frame id={id} label={label} hideLabel={hideLabel} problem={problem} className={className}>
      <textarea
        id={id}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-problem` : undefined}
        className={`${BOX} data border-rule-strong/60 py-1.5 leading-relaxed`}
        {...rest}
      />
    </Frame>
  );
}

export function SelectField({
  label,
  hideLabel,
  problem,
  className = "",
  children,
  ...rest
}: Labelled & SelectHTMLAttributes<HTMLSelectElement>) {
  const id = useId();
  return (
    <Frame id={id} label={label} hideLabel={hideLabel} problem={problem} className={className}>
      <select id={id} className={`${CONTROL} border-rule-strong/60`} {...rest}>
        {children}
      </select>
    </Frame>
  );
}

function Frame({
  id,
  label,
  hideLabel,
  problem,
  className,
  children,
}: Labelled & { id: string; className: string; children: ReactNode }) {
  return (
    <div className={`flex min-w-0 flex-col gap-1 ${className}`}>
      <label htmlFor={id} className={hideLabel ? "sr-only" : "label"}>
        {label}
      </label>
      {children}
      {problem && (
        <span id={`${id}-problem`} role="alert" className="text-small text-bad">
          {problem}
        </span>
      )}
    </div>
  );
}
