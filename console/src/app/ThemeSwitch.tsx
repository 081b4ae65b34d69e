// Light, dark, or as the system has it.
import { useId } from "react";
import { setTheme, THEME_CHOICES, useTheme, type ThemeChoice } from "./theme";

const NAMES: Record<ThemeChoice, string> = { light: "Light", dark: "Dark", system: "Auto" };

export function ThemeSwitch() {
  const choice = useTheme();
  const name = useId();
  return (
    <fieldset className="flex text-small">
      <legend className="sr-only">Theme</legend>
      {THEME_CHOICES.map((each) => (
        <label
          key={each}
          className={`cursor-pointer rounded-box px-2 py-0.5 has-focus-visible:outline-2 has-focus-visible:outline-accent ${
            each === choice ? "bg-sunken font-medium text-ink" : "text-ink-soft hover:text-ink"
          }`}
        >
          <input
            type="radio"
            name={name}
            className="sr-only"
            checked={each === choice}
            onChange={() => setTheme(each)}
          />
          {NAMES[each]}
        </label>
      ))}
    </fieldset>
  );
}
