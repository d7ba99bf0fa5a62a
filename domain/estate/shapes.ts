/** What kinds make of an account and of a place, for whoever has to recognise them where a source meets them. */
import type { EstateKinds } from "./kinds.js";
import { lookUp } from "./shape.js";
import type { Credential, Estate } from "./types.js";

/** Answers from an estate and the registered kinds. */
export interface Shapes {
  /** The names under which the issuer's sessions and records show the credential's account. */
  readonly shownAs: (estate: Estate, credential: Credential) => readonly string[];
  /** The place as the store's kind writes it, with what it fills in; unchanged where the kind would refuse it. */
  readonly placeIn: (
    estate: Estate,
    store: string,
    place: Readonly<Record<string, string>>,
  ) => Readonly<Record<string, unknown>>;
}

/** By the registered kinds. */
export function shapesOf(kinds: EstateKinds): Shapes {
  return {
    shownAs: ({ issuers }, { issuer, account }) => {
      const config = lookUp(issuers, issuer);
      const kind = config === undefined ? undefined : lookUp(kinds.issuers, config.kind);
      return kind?.shownAs?.(account) ?? [];
    },
    placeIn: ({ stores }, store, place) => {
      const config = lookUp(stores, store);
      const kind = config === undefined ? undefined : lookUp(kinds.stores, config.kind);
      const parsed = kind?.place.safeParse(place);
      return parsed?.success === true ? parsed.data : place;
    },
  };
}
