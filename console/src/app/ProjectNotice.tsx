// Said on every page but Home, which shows them: that the project's last change was not taken.
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "@tanstack/react-router";
import { projectQuery } from "../api/queries";

export function ProjectNotice() {
  const { data } = useQuery(projectQuery);
  const home = useLocation({ select: (location) => location.pathname === "/" });
  const problems = data?.problems ?? [];
  const first = problems[0];
  return (
    <div role="status" aria-live="polite">
      {first && !home && (
        <p className="border-b border-bad/30 bg-bad-wash px-3 py-2 text-bad sm:px-6 md:px-10">
          <strong className="font-semibold">
            {problems.length === 1 ? "The project has a problem" : `The project has ${problems.length} problems`}
          </strong>
          {": "}
          <span className="data break-all">{first.file}</span> — {first.message}.{" "}
          <Link to="/" className="underline underline-offset-2">
            See where
          </Link>
        </p>
      )}
    </div>
  );
}
