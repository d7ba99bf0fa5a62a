/**
 * What every store promises of the copies that only the engine reads: the first one stays, only one that is known to be
 * of no use is replaced, and what was purged does not come back with a request that was still under way (H3, H20).
 */
import { RekeyError } from "../../domain/errors.js";
import type { SecretDocument } from "../ports.js";
import { differing } from "./own-fields.js";

/** How long a store remembers that a version was purged: longer than any request can be under way. */
export const tombstoneLifeMs = 24 * 3_600_000;

/** True where the copy that stands there is the very one that is to be replaced. */
export function isReplaced(there: SecretDocument, instead: SecretDocument | null): boolean {
  if (instead === null) return false;
  const names = new Set([...Object.keys(there), ...Object.keys(instead)]);
  return differing(there, instead, [...names]).length === 0;
}

/** For a copy of a version that was purged: whoever writes it now is late. */
export function purgedError(version: string, place: string): RekeyError {
  return new RekeyError("fenced", `The version ${version} was purged at ${place}; no copy of it is kept.`);
}
