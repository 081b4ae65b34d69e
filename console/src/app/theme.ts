// The reader's choice of theme. `theme-boot.js` applies it before the first paint; this changes it afterwards.
import { useSyncExternalStore } from "react";

export type ThemeChoice = "light" | "dark" | "system";

export const THEME_CHOICES: readonly ThemeChoice[] = ["light", "dark", "system"];

const KEY = "factum.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const readers = new Set<() => void>();
let choice = stored();

system.addEventListener("change", apply);
addEventListener("storage", (event) => {
  if (event.key === KEY) change(stored());
});

export function setTheme(next: ThemeChoice): void {
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }
  change(next);
}

export function useTheme(): ThemeChoice {
  return useSyncExternalStore(
    (reader) => {
      readers.add(reader);
      return () => void readers.delete(reader);
    },
    () => choice,
  );
}

function stored(): ThemeChoice {
  try {
    const text = localStorage.getItem(KEY);
    return text === "light" || text === "dark" ? text : "system";
  } catch {
    return "system";
  }
}

function change(next: ThemeChoice): void {
  choice = next;
  apply();
  for (const reader of readers) reader();
}

function apply(): void {
  const dark = choice === "dark" || (choice === "system" && system.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
