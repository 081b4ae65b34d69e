/** What the last attempt to apply the project said. While it is wrong, what was applied before goes on. */
import { useQuery } from "@tanstack/react-query";
import { projectQuery, type ProjectProblem } from "~/api/queries";

export function ProjectProblems() {
  const { data } = useQuery(projectQuery);
  if (!data || data.problems.length === 0) return null;
  return (
    <section role="alert" aria-label="Problems of the project" className="mb-7 border-l-2 border-bad bg-bad-wash px-3.5 py-2.5">
      <p className="font-semibold text-bad">The last change of the project was not applied.</p>
      <p className="mt-0.5 mb-2">What was applied before goes on. Mend the file and save it: this goes away by itself.</p>
      <ul className="space-y-3">
        {data.problems.map((problem, index) => (
          <Problem key={index} problem={problem} />
        ))}
      </ul>
    </section>
  );
}

function Problem({ problem }: { problem: ProjectProblem }) {
  const place = [problem.file, problem.line, problem.column].filter((part) => part != null).join(":");
  return (
    <li>
      <p className="data font-medium break-all">{place}</p>
      <p className="break-words">{problem.message}</p>
      {problem.excerpt && (
        <pre tabIndex={0} aria-label={`The place in ${problem.file}`} className="data mt-1 overflow-x-auto border border-rule bg-paper px-2.5 py-1.5">
          {problem.excerpt}
        </pre>
      )}
      {problem.help && <p className="mt-1 break-words">{problem.help}</p>}
    </li>
  );
}
