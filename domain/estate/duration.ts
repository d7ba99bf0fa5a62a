/** Durations as fields of the estate: written with their unit, read as milliseconds in fields that say so in their name. */
import { z } from "zod";
import { durationPattern, parseDuration } from "../duration.js";

const expectation = "expected a duration with its unit, such as 500ms, 30s, 15m, 24h or 7d";

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
