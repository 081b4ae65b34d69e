/** The colours and type of the page, for what is drawn on a canvas and cannot inherit them. */
import { useEffect, useState } from "react";

export interface ChartTheme {
  ink: string;
  muted: string;
  rule: string;
  surface: string;
  series: string[];
  font: string;
}

/** How many lines one chart tells apart; further ones begin again. */
export const SERIES = 6;

function read(element: Element): ChartTheme {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: of("--ink"),
    muted: of("--ink-soft"),
    rule: of("--rule"),
    surface: of("--paper"),
    series: Array.from({ length: SERIES }, (_, index) => of(`--series-${index + 1}`)),
    font: `11px ${style.fontFamily}`,
  };
}

/** Calls `changed` whenever the page's theme does. */
export function onThemeChange(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => observer.disconnect();
}

/** The theme as it is at `element`, read again when it changes. */
export function useChartTheme(element: Element | null): ChartTheme | null {
  const [theme, setTheme] = useState<ChartTheme | null>(null);
  useEffect(() => {
    if (!element) return;
    const update = () => setTheme(read(element));
    update();
    return onThemeChange(update);
  }, [element]);
  return theme;
}
