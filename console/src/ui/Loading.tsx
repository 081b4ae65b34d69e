// Waiting, said only if it takes long enough to be noticed.
import { useEffect, useState } from "react";

const NOTICED = 400;

export function Loading({ what = "Reading …" }: { what?: string }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), NOTICED);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p role="status" className="py-6 text-ink-soft">
      {shown ? what : <>&nbsp;</>}
    </p>
  );
}
