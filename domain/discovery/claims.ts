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
  /** Of addresses, ranges and whatever has to be compared; otherwise what stands before a star. */
  readonly others: ReadonlyMap<string, readonly number[]>;
  /** Lengths of the others, each once. */
  readonly lengths: readonly number[];
}

const plainAddress = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Those of the consumers, in their order, that claim what is shown. A claim that ends in `*` is of whatever begins so. */
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
  } else for (const length of lengths) found.push(others.get(shown.slice(0, length)) ?? []);
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
    if (trait === "address") return claim === shown || isWithin(shown, claim);
    return claim === shown || (claim.endsWith("*") && shown.startsWith(claim.slice(0, -1)));
  });
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
      const isOther = trait === "address" ? !plainAddress.test(claim) : claim.endsWith("*");
      const key = isOther && trait !== "address" ? claim.slice(0, -1) : claim;
      const claims = isOther ? others : exact;
      const places = claims.get(key);
      if (places === undefined) claims.set(key, [place]);
      else places.push(place);
    }
  }
  return { exact, others, lengths: [...new Set([...others.keys()].map((claim) => claim.length))] };
}
