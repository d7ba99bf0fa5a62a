/**
 * Who claims what a reader shows, found by what is shown: an estate of two hundred thousand consumers is not gone through for
 * each of as many readers.
 */
import type { Match } from "../estate/types.js";

/** Whether an IP address lies in a range (or is that address); false for whatever is none. */
export type IsWithin = (address: string, range: string) => boolean;

/** A consumer with what it claims. */
export interface Claimant {
  readonly id: string;
  readonly name: string;
  readonly match: Match;
}

/** Places of claimants in their list, by what they claim of one trait. */
interface Claims {
  /** What is claimed as it stands; of addresses those that can be written in one way only. */
  readonly exact: ReadonlyMap<string, readonly number[]>;
  /** Of addresses, ranges and whatever has to be compared; otherwise what stands before a star, and of hosts behind it. */
  readonly others: ReadonlyMap<string, readonly number[]>;
  /** Lengths of the others, each once. */
  readonly lengths: readonly number[];
}

const plainAddress = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Those of the consumers, in their order, that claim what is shown. A claim that ends in `*` is of whatever begins so; one of hosts begins with it. */
export function claimantsOf(
  consumers: readonly Claimant[],
  trait: keyof Match,
  shown: string,
  isWithin: IsWithin,
): Claimant[] {
  const { exact, others, lengths } = claimsIn(consumers, trait);
  const found = [exact.get(shown) ?? []];
  if (trait === "address") {
    const compared = plainAddress.test(shown) ? [others] : [exact, others];
    for (const claims of compared)
      for (const [claim, places] of claims) if (isWithin(shown, claim)) found.push(places);
  } else {
    const part =
      trait === "host"
        ? (length: number) => shown.slice(-length)
        : (length: number) => shown.slice(0, length);
    for (const length of lengths) found.push(others.get(part(length)) ?? []);
  }
  return [...new Set(found.flat())].sort((a, b) => a - b).flatMap((place) => consumers[place] ?? []);
}

/** Whether one of these claims is of what is shown: the same as `claimantsOf` tells, of one consumer. */
export function isClaimed(
  claims: readonly string[],
  trait: keyof Match,
  shown: string,
  isWithin: IsWithin,
): boolean {
  return claims.some((claim) => {
    if (trait === "address") return (claim === shown && plainAddress.test(claim)) || isWithin(shown, claim);
    if (claim === shown || !isOpen(trait, claim)) return claim === shown;
    const part = keyOf(trait, claim);
    return trait === "host" ? shown.endsWith(part) : shown.startsWith(part);
  });
}

/** Whether more than one text is claimed by it. */
function isOpen(trait: keyof Match, claim: string): boolean {
  if (trait === "address") return !plainAddress.test(claim);
  return trait === "host" ? claim.startsWith("*.") : claim.endsWith("*");
}

/** What of an open claim is looked for. */
function keyOf(trait: keyof Match, claim: string): string {
  if (trait === "address") return claim;
  return trait === "host" ? claim.slice(1) : claim.slice(0, -1);
}

const made = new WeakMap<readonly Claimant[], Map<keyof Match, Claims>>();

/** Made once for a list, however many readers are held against it. */
function claimsIn(consumers: readonly Claimant[], trait: keyof Match): Claims {
  const known = made.get(consumers) ?? new Map<keyof Match, Claims>();
  made.set(consumers, known);
  const claims = known.get(trait) ?? indexed(consumers, trait);
  known.set(trait, claims);
  return claims;
}

function indexed(consumers: readonly Claimant[], trait: keyof Match): Claims {
  const [exact, others] = [new Map<string, number[]>(), new Map<string, number[]>()];
  for (const [place, { match }] of consumers.entries()) {
    for (const claim of match[trait] ?? []) {
      const isOther = isOpen(trait, claim);
      const key = isOther ? keyOf(trait, claim) : claim;
      const claims = isOther ? others : exact;
      const places = claims.get(key);
      if (places === undefined) claims.set(key, [place]);
      else places.push(place);
    }
  }
  return { exact, others, lengths: [...new Set([...others.keys()].map((claim) => claim.length))] };
}
