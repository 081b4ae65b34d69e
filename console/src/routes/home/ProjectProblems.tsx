// What is wrong with the project's files: where, what, and what to do; gone as soon as it is mended.
import type { Project, ProjectProblem } from "../../api/queries";

export function ProjectProblems({ project }: { project: Project | undefined }) {
  const problems = project?.problems ?? [];
  const refused = Boolean(project?.failure) || problems.some((each) => each.severity === "error");
  const shown = problems.length > 0 || Boolean(project?.failure);
  const tone = refused ? "border-bad bg-bad-wash" : "border-warn bg-warn-wash";
  return (
    <div role="status" aria-live="polite">
      {shown && (
        <section aria-label="Problems of the project" className={`mb-8 border-l-2 px-4 py-3 ${tone}`}>
          <h2 className={`font-semibold ${refused ? "text-bad" : "text-warn"}`}>
            {refused
              ? "A part of the project is not in force as it is written. What was there before stays until this is mended."
              : "A part of the project has no effect."}
          </h2>
          {problems.length === 0 && <p className="mt-1">{project?.failure}</p>}
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
