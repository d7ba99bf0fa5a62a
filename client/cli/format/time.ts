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

/** `in 3 h`, `12 s ago`, `now`. */
export function relative(at: number, now: number): string {
  const distance = at - now;
  if (Math.abs(distance) < 1_000) return "now";
  return distance > 0 ? `in ${span(distance)}` : `${span(-distance)} ago`;
}
