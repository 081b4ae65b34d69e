// The roles of this process and what each says about itself.
import type { Overview } from "../../api/queries";
import { Badge } from "../../ui/Badge";
import { Panel } from "../../ui/Panel";

export function Health({ health }: { health: Overview["health"] | undefined }) {
  return (
    <Panel
      title="Health"
      actions={health && <Badge tone={health.ready ? "good" : "bad"}>{health.ready ? "Ready" : "Not ready"}</Badge>}
    >
      <ul className="border-t border-rule">
        {health?.roles.map((role) => (
          <li key={role.role} className="flex items-baseline justify-between gap-4 border-b border-rule py-1.5">
            <span className="data">{role.role}</span>
            <span className={role.ready && role.problems.length === 0 ? "text-ink-soft" : "text-bad"}>
              {role.problems.length > 0 ? role.problems.join("; ") : role.ready ? "ready" : "not ready yet"}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
