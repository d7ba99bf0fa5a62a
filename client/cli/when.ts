/** A moment that somebody names: a date, a time, or how long ago it was. */
import { parseDuration } from "../../domain/duration.js";
import { RekeyError } from "../../domain/errors.js";
import { moment } from "./format/time.js";

/** Milliseconds since the epoch of `2026-08-01`, `2026-08-01T09:30:00Z`, or `7d` before `now`. Throws `bad-input`. */
export function momentNamed(text: string, now: number): number {
  const ago = parseDuration(text);
  if (ago !== undefined) return now - ago;
  const isDate = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?Z)?$/.test(text);
  const at = isDate ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new RekeyError(
      "bad-input",
      `"${text}" is no moment.`,
      "Write a date (2026-08-01), a time in UTC (2026-08-01T09:30:00Z), or how long ago it was (7d).",
    );
  return at;
}

/** The same for a moment that has to be before `now`; `option` is what named it. Throws `bad-input`. */
export function pastMoment(option: string, text: string, now: number): number {
  const at = momentNamed(text, now);
  if (at < now) return at;
  throw new RekeyError(
    "bad-input",
    `${option} is ${moment(at)}, which is not past.`,
    "Write a date that is past (2026-08-01), a time in UTC (2026-08-01T09:30:00Z), or how long ago it was (7d).",
  );
}
