/**
 * Which account was taken away when, from what was seen at the seam: a rotation may revoke more than one version, and whoever is on
 * the one after the first of them is not to be blamed for that one (I2).
 */
import type { Seen } from "../seam/witness.js";
import type { Probe } from "./probes.js";

/** One revocation: from its first call until its version was switched on again. Times are milliseconds since the epoch. */
export interface Revocation {
  /** The account of its version; `null` where nobody saw a value of that version. */
  readonly account: string | null;
  readonly from: number;
  /** `Infinity` where it stayed revoked. */
  readonly until: number;
}

/** The first call with which a version is taken out of use. */
const revocation = /^disable\.issuer\.disable\./;
const enabling = /\.issuer\.enable\./;

/** Every revocation that was begun at `since` or later, in the order in which they were; `accounts` are those of versions by their id. */
export function revocations(
  seen: readonly Seen[],
  since: number,
  accounts: ReadonlyMap<string, string>,
): readonly Revocation[] {
  // Who lacks the right to begin has taken nothing away.
  const denied = new Set(seen.flatMap(({ point, code }) => (code === "not-permitted" ? [point] : [])));
  const begun = seen.filter(({ point, what, at }) => what === "begin" && at >= since && !denied.has(point));
  const open = new Map<string, number>();
  const over: Revocation[] = [];
  const close = (version: string, until: number) => {
    const from = open.get(version);
    if (from !== undefined) over.push({ account: accounts.get(version) ?? null, from, until });
    open.delete(version);
  };
  for (const { point, version = "", at } of begun) {
    if (revocation.test(point) && !open.has(version)) open.set(version, at);
    if (enabling.test(point)) close(version, at);
  }
  for (const version of [...open.keys()]) close(version, Infinity);
  return over.sort((one, other) => one.from - other.from);
}

/** When the first of them began; `Infinity` where there was none. */
export function revokedFirstAt(all: readonly Revocation[]): number {
  return all[0]?.from ?? Infinity;
}

/**
 * Accounts that did work which was begun after they had been revoked. What was revoked last leaves none but the live one; of an
 * earlier one it is known whose it was, or nothing is said.
 */
export function usedAfter(
  probes: readonly Pick<Probe, "account" | "begunAt">[],
  all: readonly Revocation[],
  live: string,
): readonly string[] {
  const last = all.at(-1);
  const used = probes.flatMap(({ account, begunAt }) => {
    if (account === null || account === live) return [];
    const isClosed = all.some(
      (one) => one.from < begunAt && begunAt < one.until && (one === last || one.account === account),
    );
    return isClosed ? [account] : [];
  });
  return [...new Set(used)];
}
