/**
 * Durations are written with their unit (`30s`, `15m`, `24h`) so that nobody has to guess whether 30 means
 * seconds or minutes, and become milliseconds in fields that say so in their name.
 */
import { z } from "zod";

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

const durationPattern = /^(0|[1-9][0-9]{0,11})(ms|s|m|h|d)$/;

const expectation = "expected a duration with its unit, such as 500ms, 30s, 15m, 24h or 7d";

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

/** A written duration as a field of a schema; parsed to milliseconds. With `positive`, zero is refused. */
export function duration(options: { positive?: boolean } = {}) {
  return z
    .string({ error: expectation })
    .regex(durationPattern, { error: expectation })
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms === undefined)
        context.addIssue({ code: "custom", message: "expected a duration of at most 3650d" });
      else if (options.positive === true && ms === 0) {
        context.addIssue({ code: "custom", message: "expected a duration longer than zero" });
      } else return ms;
      return z.NEVER;
    });
}

/** The parsed object with `Ms` behind the names of its durations. */
export type WithMs<T, K extends string> = { [P in keyof T as P extends K ? `${P}Ms` : P]: T[P] };

/**
 * An object schema whose named duration fields carry their unit in the result: `quietPeriod: 1h` is written,
 * `quietPeriodMs: 3600000` is read.
 */
export function withMs<S extends z.ZodObject, const K extends keyof z.output<S> & string>(
  schema: S,
  names: readonly K[],
): z.ZodPipe<S, z.ZodTransform<WithMs<z.output<S>, K>, z.output<S>>> {
  const durations = new Set<string>(names);
  return schema.transform((value) => {
    const renamed = Object.entries(value).map(([key, field]) => [
      durations.has(key) ? `${key}Ms` : key,
      field,
    ]);
    return Object.fromEntries(renamed) as WithMs<z.output<S>, K>;
  });
}
