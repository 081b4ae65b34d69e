// What an answer does not contain of what it was asked about, in the words of the command line.
import { counted } from "~/charts/decimal";
import type { LeftOut } from "../views/freshness";

export function LeftOutNotice({ leftOut }: { leftOut: LeftOut | null | undefined }) {
  if (!leftOut) return null;
  const { undecodable, unreadable, reason } = leftOut;
  return (
    <div role="status" className="mt-3 border-l-2 border-warn bg-warn-wash px-3 py-2">
      {undecodable !== "0" && (
        <p>
          <strong className="font-semibold text-warn">{counted(undecodable, "event")} left out</strong>:{" "}
          <span className="break-words">{reason ?? "the columns that are named cannot be read from them"}.</span>
        </p>
      )}
      {unreadable !== "0" && (
        <p>
          <strong className="font-semibold text-warn">{counted(unreadable, "event")} left out</strong>: the log cannot
          read them.
        </p>
      )}
    </div>
  );
}
