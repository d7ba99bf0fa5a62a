/**
 * How long somebody who was seen using something counts as using it. A look that does not see a session says nothing about
 * a job that runs at night: what was seen fades by its age, and never because it was not there at one moment.
 */
import type { Evidence } from "./types.js";

/** A job that runs once a month may be late, and is not gone for that. */
export const lateness = 1.5;

/** Who has fallen silent is shown for as long again, as somebody of the past, before it ends on the map. */
export const shownFor = 2;

/** How long where the policy does not say: a month, and some days for whoever is late. */
export const useWindowMs = 35 * 24 * 60 * 60_000;

/** How long somebody may be silent and still counts, and what time it is; both in milliseconds. */
export interface Fading {
  readonly windowMs: number;
  readonly now: number;
}

type Sighting = Pick<Evidence, "kind" | "count" | "firstSeen" | "lastSeen">;

/** Whether a piece of evidence was seen; the others are written down, or follow from rights, and do not fade. */
export function isSeen({ kind }: Pick<Evidence, "kind">): boolean {
  return kind === "read" || kind === "session";
}

/**
 * How long a piece of evidence may lie back and still tell of a user: the window, or one and a half times the interval at
 * which it was seen or at which its consumer is known to work (`cadenceMs`, 0 for none), whichever is longest.
 */
export function silenceMsMax(
  { count, firstSeen, lastSeen }: Sighting,
  windowMs: number,
  cadenceMs: number,
): number {
  const intervalMs = count > 1 ? (lastSeen - firstSeen) / (count - 1) : 0;
  return Math.max(windowMs, lateness * intervalMs, lateness * cadenceMs);
}

/**
 * How far apart somebody's reads lie on average, by all logs that saw them; null where that cannot be said: seen once, or in
 * sessions, which last while nobody looks.
 */
export function readIntervalMs(evidence: readonly Sighting[]): number | null {
  const seen = evidence.filter(isSeen);
  if (seen.some(({ kind }) => kind === "session")) return null;
  const count = seen.reduce((sum, one) => sum + one.count, 0);
  if (count < 2) return null;
  const first = Math.min(...seen.map(({ firstSeen }) => firstSeen));
  return (Math.max(...seen.map(({ lastSeen }) => lastSeen)) - first) / (count - 1);
}

/** Whether it still counts. */
export function isCurrent(evidence: Sighting, { windowMs, now }: Fading, cadenceMs = 0): boolean {
  return !isSeen(evidence) || now - evidence.lastSeen <= silenceMsMax(evidence, windowMs, cadenceMs);
}
