// Where an event was put, with the way there.
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../api/client";

export function Stored({ topic, at }: { topic: string; at: Schemas["EventOffset"] | undefined }) {
  if (!at) return null;
  const { partition, offset } = at;
  return (
    <p role="status" className="border-l-2 border-good bg-good-wash px-3 py-2">
      <span className="font-semibold text-good">Stored.</span>{" "}
      <Link
        to="/topics/$topic"
        params={{ topic }}
        search={{ from: "offset", partition, offset, message: `${partition}:${offset}` }}
        className="link figures"
      >
        Partition {partition}, offset {offset}
      </Link>
    </p>
  );
}
