/**
 * One number, large.
 *
 * Invariants: it does not jump about. Digits are equally wide, and the space that it has taken once it keeps, so
 * that what stands around it stays where it is.
 */
import { Fragment, useRef } from "react";
import { formatNumber, THIN_SPACE } from "./decimal";

export interface BigNumberProps {
  value: unknown;
  unit?: string | null;
  /** What is counted, for those who hear the page. */
  label: string;
}

/** Decimals that a large number is read at; the exact value is its title. */
const PLACES = 2;

export function BigNumber({ value, unit, label }: BigNumberProps) {
  const exact = formatNumber(value, { unit });
  const shown = formatNumber(value, { unit, most: PLACES }) ?? "—";
  const widest = useRef(0);
  widest.current = Math.max(widest.current, shown.length);
  const isExact = exact === null || exact === shown;
  return (
    <p className="big-number" title={isExact ? undefined : exact}>
      <span className="sr-only">{label}: </span>
      <span className="big-number-digits" style={{ minWidth: `${widest.current}ch` }}>
        {shown.split(THIN_SPACE).map((group, index) => (
          <Fragment key={index}>
            {index > 0 && <span className="thousands">{THIN_SPACE}</span>}
            {group}
          </Fragment>
        ))}
      </span>
    </p>
  );
}
