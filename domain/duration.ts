/**
 * Durations as people write them: with their unit (`30s`, `15m`, `24h`), so that nobody has to guess whether 30
 * means seconds or minutes. Apart from the schema's fields, because workflows format durations and know no zod.
 */

const dayMs = 86_400_000;

/** Largest unit first, so that formatting finds the shortest way to write a duration exactly. */
const units = [
  ["d", dayMs],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** Ten years: beyond it a duration is a slip of the hand, and timers stay far from the numbers they cannot hold. */
const durationMsMax = 3_650 * dayMs;

/** The form: a whole number and a unit. */
export const durationPattern = /^(0|[1-9][0-9]{0,11})(ms|s|m|h|d)$/;

/** Milliseconds of a written duration; `undefined` when it is not one or is longer than 3650 days. */
export function parseDuration(text: string): number | undefined {
  const [, digits, suffix] = durationPattern.exec(text) ?? [];
  const unit = units.find(([name]) => name === suffix);
  if (digits === undefined || unit === undefined) return undefined;
  const ms = Number(digits) * unit[1];
  return ms <= durationMsMax ? ms : undefined;
}

/** The shortest exact text of a whole, non-negative number of milliseconds; `parseDuration` gives the number back. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  const [name, size] = units.find(([, unitMs]) => ms % unitMs === 0) ?? ["ms", 1];
  return `${ms / size}${name}`;
}

const readUnits = [
  ["d", dayMs],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** A span for people: `350 ms`, `4 s`, `2 h 5 min`: the two largest units, rounded down. */
export function span(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1_000) return `${whole} ms`;
  const first = readUnits.findIndex(([, size]) => whole >= size);
  const parts = readUnits.slice(first, first + 2).map(([unit, size], index) => {
    const rest = index === 0 ? whole : whole % (readUnits[first]?.[1] ?? 1);
    return [Math.floor(rest / size), unit] as const;
  });
  return parts
    .filter(([number]) => number > 0)
    .map(([number, unit]) => `${number} ${unit}`)
    .join(" ");
}
