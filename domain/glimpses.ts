/**
 * What looks at who is connected now are worth: whoever came and went between two of them was not seen. So nobody seen is evidence
 * only of looks that are close to each other, and of others it is said how far apart they were.
 */
/**
 * Looks no further apart than this are close to each other. A job of a minute is not seen at each of its runs by such looks, and at
 * one of a month of runs almost surely; one that holds its sessions longer is seen at each.
 */
export const closeLooksMs = 15 * 60_000;

/** How much of a time close looks may be late by, all together: a restart or a reading that failed is no end of a watch of a month. */
export const lateShareMax = 1 / 20;

/** The looks of a source that sees who is connected and nothing of the time between. Times are milliseconds. */
export interface Glimpses {
  /** How many followed upon each other since the source has watched; at least 1. */
  readonly count: number;
  /** The longest time between two of them. */
  readonly apartMs: number;
  /** Since when, up to the last one, they were close but for `lateShareMax` of the time. */
  readonly closeSince: number;
}

/** Such looks with the last one's end, `wholeAt`. */
export interface Glimpsed {
  readonly glimpses?: Glimpses | undefined;
  readonly wholeAt: number | null;
}

/** Since when looks were close, up to now; null where the last one is too long ago. `now` is in milliseconds. */
export function closeFrom({ closeSince }: Glimpses, wholeAt: number | null, now: number): number | null {
  if (wholeAt === null) return null;
  return now - wholeAt - closeLooksMs <= lateShareMax * (now - closeSince) ? closeSince : null;
}

/** Whether the looks of a source were close for the last `windowMs`; what is no look at who is connected has no time between. */
export function isCloseFor({ glimpses, wholeAt }: Glimpsed, windowMs: number, now: number): boolean {
  if (glimpses === undefined) return true;
  const from = closeFrom(glimpses, wholeAt, now);
  return from !== null && now - from >= windowMs;
}
