/** Moments and spans for people: UTC, and no more digits than anybody reads. */
import { span } from "../../../domain/duration.js";

/** `2026-08-01 09:30:05Z`. */
export function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** `09:30:05.120`: the time of day, for lines that stand close together. */
export function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

/** Beyond so long nobody reckons with days. */
const agedMsMax = 30 * 24 * 60 * 60_000;

/** How long ago it was, or will be; beyond a month the day: `2026-08-01`. */
export function aged(at: number, now: number): string {
  return Math.abs(at - now) > agedMsMax ? new Date(at).toISOString().slice(0, 10) : relative(at, now);
}

/** `in 3 h`, `12 s ago`, `now`. */
export function relative(at: number, now: number): string {
  const distance = at - now;
  if (Math.abs(distance) < 1_000) return "now";
  return distance > 0 ? `in ${span(distance)}` : `${span(-distance)} ago`;
}
