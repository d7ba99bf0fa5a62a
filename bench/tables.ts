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

/** Rows under a title, in columns. */
export function table(title: string, rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  return `\n${title}\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
