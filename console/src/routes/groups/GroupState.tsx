// The state of a group, in Kafka's words.
import { Badge, type Tone } from "~/ui/Badge";

const TONES: Record<string, Tone> = { Stable: "good", Empty: "neutral", Dead: "bad" };

/** `PreparingRebalance` → `Preparing rebalance`. */
export function stateLabel(state: string): string {
  return state.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

export function GroupState({ state }: { state: string }) {
  return <Badge tone={TONES[state] ?? "warn"}>{stateLabel(state)}</Badge>;
}
