/** What kinds make of an account and of a place, for whoever has to recognise them where a source meets them. */
import { canonical } from "../plan.js";
import type { EstateKinds } from "./kinds.js";
import { lookUp } from "./shape.js";
import type { Credential, Estate } from "./types.js";

/** The part of an estate by which they are told. */
export type Systems = Pick<Estate, "issuers" | "stores">;

/** Answers from an estate and the registered kinds. */
export interface Shapes {
  /** The names under which the issuer's sessions and records show the credential's account. */
  readonly shownAs: (
    systems: Systems,
    credential: Pick<Credential, "issuer" | "account">,
  ) => readonly string[];
  /**
   * One text for a place in a store, the same whatever is written there and how: as the kind names it for the lock. A place
   * that the kind would refuse, or in a store that is not declared, is named by all of itself.
   */
  readonly placeKey: (systems: Systems, store: string, place: Readonly<Record<string, unknown>>) => string;
  /** Whether sources of this kind show that something is used. */
  readonly seesUse: (sourceKind: string) => boolean;
  /** How long after a use its record may still come to sources of this kind, in milliseconds, where the estate does not say. */
  readonly deliveredWithinMs: (sourceKind: string) => number;
}

/** Where no kinds are known: an account is shown under no name, a place is all of itself, and nobody sees a use. */
export const plainShapes: Shapes = {
  shownAs: () => [],
  placeKey: (_, __, place) => canonical(place),
  seesUse: () => false,
  deliveredWithinMs: () => 0,
};

/** By the registered kinds. */
export function shapesOf(kinds: EstateKinds): Shapes {
  return {
    shownAs: ({ issuers }, { issuer, account }) => {
      const config = lookUp(issuers, issuer);
      const kind = config === undefined ? undefined : lookUp(kinds.issuers, config.kind);
      return kind?.shownAs?.(account) ?? [];
    },
    placeKey: ({ stores }, store, place) => {
      const config = lookUp(stores, store);
      const kind = config === undefined ? undefined : lookUp(kinds.stores, config.kind);
      const parsed = kind?.place.safeParse(place);
      if (config === undefined || kind === undefined || parsed?.success !== true) return canonical(place);
      return kind.lockKeys(config, parsed.data).join(" ");
    },
    seesUse: (sourceKind) => lookUp(kinds.sources, sourceKind)?.sees === "use",
    deliveredWithinMs: (sourceKind) => lookUp(kinds.sources, sourceKind)?.deliveredWithinMs ?? 0,
  };
}
