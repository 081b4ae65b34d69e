// Compatibility levels, and what each asks of a new version.

export const LEVELS: { level: string; name: string; means: string }[] = [
  { level: "BACKWARD", name: "Backward", means: "A new version reads what the latest one wrote." },
  {
    level: "BACKWARD_TRANSITIVE",
    name: "Backward, all versions",
    means: "A new version reads what every version wrote.",
  },
  { level: "FORWARD", name: "Forward", means: "The latest version reads what a new one writes." },
  { level: "FORWARD_TRANSITIVE", name: "Forward, all versions", means: "Every version reads what a new one writes." },
  { level: "FULL", name: "Full", means: "A new version and the latest one read each other." },
  { level: "FULL_TRANSITIVE", name: "Full, all versions", means: "A new version and every other read each other." },
  { level: "NONE", name: "None", means: "Nothing is checked." },
];

export function levelMeans(level: string): string {
  return LEVELS.find((each) => each.level === level)?.means ?? "";
}
