// What is wrong with the project's files: where, what, and what to do; gone as soon as it is mended.
import type { ProjectProblem } from "../../api/queries";

export function ProjectProblems({ problems }: { problems: ProjectProblem[] }) {
  return (
    <div role="status" aria-live="polite">
      {problems.length > 0 && (
        <section aria-label="Problems of the project" className="mb-8 border-l-2 border-bad bg-bad-wash px-4 py-3">
          <h2 className="font-semibold text-bad">
            The last change was not taken. The state before it stays in force until this is mended.
          </h2>
          <ul className="mt-2 space-y-4">
            {problems.map((problem, index) => (
              <li key={index} data-testid="project-problem">
                <p className="data break-all">{place(problem)}</p>
                <p className="mt-0.5">{problem.message}</p>
                {problem.excerpt && (
                  <pre tabIndex={0} className="data mt-1.5 overflow-x-auto bg-paper/60 px-2.5 py-1.5 leading-relaxed">
                    {problem.excerpt}
                  </pre>
                )}
                {problem.help && <p className="mt-1">{problem.help}</p>}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function place({ file, line, column }: ProjectProblem): string {
  return [file, line, line ? column : undefined].filter((each) => each !== undefined && each !== null).join(":");
}
