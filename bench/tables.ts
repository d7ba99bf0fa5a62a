/** Figures: how they are summed up and shown. */
import type { PolicyText } from "../examples/demo/parts.js";

/** No signature and no soak: what is left is the engine and its outside calls. */
export const benchPolicy: PolicyText = {
  approval: { quorum: 0 },
  quietPeriod: "0s",
  adoptionSoak: "0s",
  disableSoak: "0s",
  adoptionTimeout: "20s",
  drainTimeout: "20s",
  observationMaxAge: "10s",
  stallTimeout: "20s",
  retryDelay: "200ms",
  cooldown: "0s",
};

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? upper)) / 2 : upper;
}

/** One figure. A goal is a bound, and a note says what else has to be known. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit?: string;
  readonly digits?: number;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly note?: string;
}

/** Figures under a title. */
export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** The figure with its unit. */
export function figureText({ value, unit = "", digits = 0 }: Row): string {
  return `${value.toFixed(digits)}${unit === "" || unit.startsWith("/") ? unit : ` ${unit}`}`;
}

/** The goal and whether it was met; empty without one. A figure that is none meets no goal. */
export function goalText(row: Row): { readonly goal: string; readonly met: "met" | "missed" | "" } {
  const { value, atMost, atLeast } = row;
  if (atMost === undefined && atLeast === undefined) return { goal: "", met: "" };
  const met = value <= (atMost ?? value) && value >= (atLeast ?? value);
  const bound = figureText({
    ...row,
    value: atMost ?? atLeast ?? 0,
    digits: Number.isInteger(atMost ?? atLeast) ? 0 : 1,
  });
  return { goal: `${atMost === undefined ? "at least" : "at most"} ${bound}`, met: met ? "met" : "missed" };
}

/** Rows under their title, in columns. */
export function tableText({ title, rows }: Table): string {
  const cells = rows.map((row) => {
    const { goal, met } = goalText(row);
    const more = [
      ...(goal === "" ? [] : [`goal ${goal}: ${met}`]),
      ...(row.note === undefined ? [] : [row.note]),
    ];
    return [row.what, figureText(row), more.join("; ")] as const;
  });
  const width = (column: 0 | 1) => Math.max(...cells.map((row) => row[column].length));
  const lines = cells.map(([what, figure, more]) =>
    `${what.padEnd(width(0))}  ${figure.padStart(width(1))}  ${more}`.trimEnd(),
  );
  return `\n${title}\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
