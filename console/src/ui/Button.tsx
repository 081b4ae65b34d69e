// A button: quiet by default, `primary` for the one thing a page is about.
import type { ButtonHTMLAttributes, Ref } from "react";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "quiet" | "primary" | "bare";
  /** Beside a heading: lower, and set small. */
  small?: boolean;
  /** For toggles: tells assistive technology and shows it. */
  pressed?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

const KINDS = {
  quiet: "border-rule-strong/60 bg-raised text-ink hover:border-ink",
  primary: "border-accent bg-accent text-on-accent hover:brightness-110",
  bare: "border-transparent text-ink-soft hover:bg-sunken hover:text-ink",
};

export function Button({ kind = "quiet", small, pressed, className = "", type = "button", ...rest }: ButtonProps) {
  const look = pressed ? "border-accent bg-accent-wash text-ink" : KINDS[kind];
  return (
    <button
      type={type}
      aria-pressed={pressed}
      className={`inline-flex items-center justify-center gap-1.5 rounded-box border font-medium whitespace-nowrap select-none disabled:opacity-50 ${small ? "h-7 px-2 text-small" : "h-8 px-2.5"} ${look} ${className}`}
      {...rest}
    />
  );
}
