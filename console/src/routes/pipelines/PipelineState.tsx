/** What a view's pipeline is doing: the word, how far it is, and why it stands still. */
import { formatNumber } from "~/charts/decimal";
import { Badge, type Tone } from "~/ui/Badge";

export interface StateOf {
  state: string;
  reason?: string | null;
  progress?: { done: string; total: string } | null;
}

const TONES: Record<string, Tone> = { live: "good", building: "accent", waiting: "warn", failed: "bad" };

export function StateBadge({ state }: { state: string }) {
  const word = state.charAt(0).toUpperCase() + state.slice(1);
  return <Badge tone={TONES[state] ?? "neutral"}>{word}</Badge>;
}

/** The badge with what stands behind it, in one line. */
export function PipelineState({ state, reason, progress }: StateOf) {
  return (
    <span className="inline-flex min-w-0 flex-wrap items-center gap-x-2 gap-y-0.5">
      <StateBadge state={state} />
      {state === "building" && progress && <Progress {...progress} />}
      {reason && <span className="label break-words">{reason}</span>}
    </span>
  );
}

function Progress({ done, total }: { done: string; total: string }) {
  const part = total === "0" ? 100 : Number((BigInt(done) * 100n) / BigInt(total));
  return (
    <span className="inline-flex items-center gap-2">
      <progress className="progress" max={100} value={part} aria-label="Events taken in" />
      <span className="label figures">
        {formatNumber(done)} of {formatNumber(total)}
      </span>
    </span>
  );
}
