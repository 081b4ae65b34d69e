// One thing to know before what stands below it.
import type { ReactNode } from "react";

interface NoticeProps {
  tone?: "warn" | "bad";
  title: string;
  children?: ReactNode;
  className?: string;
}

export function Notice({ tone = "warn", title, children, className = "" }: NoticeProps) {
  const colours = tone === "bad" ? "border-bad bg-bad-wash" : "border-warn bg-warn-wash";
  return (
    <div role="status" className={`border-l-2 px-3 py-2 ${colours} ${className}`}>
      <p className={`font-semibold ${tone === "bad" ? "text-bad" : "text-warn"}`}>{title}</p>
      {children && <p className="mt-0.5 break-words">{children}</p>}
    </div>
  );
}
