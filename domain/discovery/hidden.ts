/**
 * What a reading could not see, by the records in which it would stand. Hidden is not absent: what stands there has not gone because
 * it was not met. And one file that nobody can ever read must not keep everything else on the map for ever.
 */
import type { Hidden } from "./said.js";

/** Hidden records that a reading names; with more of them it counts as one that may hide anything. */
export const hiddenMax = 2_000;

/** A part of a reading, or all of it, by what it could not see: how many gaps and records that is, and where, if it says so. */
interface Unseen {
  readonly hidden?: readonly Hidden[] | null | undefined;
  readonly gaps: { readonly length: number };
  readonly malformed: { readonly length: number };
}

/** The records that hide something; null where the gaps may be anywhere. */
export function hiddenIn({ hidden, gaps, malformed }: Unseen): readonly Hidden[] | null {
  return hidden ?? (gaps.length + malformed.length === 0 ? [] : null);
}

/** What two parts of a reading hide together, each once and in an order of its own. */
export function hiddenByBoth(
  one: readonly Hidden[] | null,
  other: readonly Hidden[] | null,
): readonly Hidden[] | null {
  if (one === null || other === null) return null;
  const all = new Map([...one, ...other].map((hidden) => [keyOf(hidden), hidden]));
  if (all.size > hiddenMax) return null;
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, hidden]) => hidden);
}

/** A reading by what it hid. Of an earlier release, only its gaps are known. */
export interface Veiled {
  readonly hidden: readonly Hidden[] | null;
  readonly gaps: readonly string[];
}

/**
 * Whether a reading hides something that an earlier one did not hide. What was met then and is not met now may have gone there: into a
 * file that was renamed and torn at once, or it follows from a role whose file cannot be read any more.
 */
export function hidesMore(now: readonly Hidden[], { hidden, gaps }: Veiled): boolean {
  const before = new Set(hidden === null ? gaps : hidden.map(keyOf));
  return now.some((one) => !before.has(hidden === null ? one.why : keyOf(one)));
}

function keyOf({ record, why }: Hidden): string {
  return JSON.stringify([record, why]);
}
