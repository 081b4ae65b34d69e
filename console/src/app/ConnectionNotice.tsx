// Said on every page: that the server is gone, and that the page goes on by itself when it is back.
import { useEffect, useState } from "react";
import { probeNow, useConnection } from "../api/connection";
import { duration } from "../ui/number";

export function ConnectionNotice() {
  const connection = useConnection();
  return (
    <div role="status" aria-live="polite">
      {connection.state === "lost" && <Lost since={connection.since} />}
    </div>
  );
}

function Lost({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b border-warn/40 bg-warn-wash px-3 py-2 text-warn sm:px-6 md:px-10">
      <p>
        <strong className="font-semibold">The server is gone; trying again.</strong>{" "}
        <span aria-hidden className="figures">
          For {duration((now - since) / 1000)}. What you see is what it said last.
        </span>
      </p>
      <button type="button" className="font-medium underline underline-offset-2" onClick={probeNow}>
        Try now
      </button>
    </div>
  );
}
