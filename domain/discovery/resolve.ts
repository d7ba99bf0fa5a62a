/**
 * Which node of the map a thing is that a source speaks of. What the estate declares has its id there; everything else has
 * one made of what it is called, so that every source that meets it speaks of the same node.
 */
import type { PlainNode } from "../graph/declared.js";
import { locationId, placeText } from "../graph/places.js";
import { canonical } from "../plan.js";
import { nameLength, shortened } from "../shortened.js";
import type { Claimant, IsWithin } from "./claims.js";
import { matchReader, readerName } from "./match.js";
import type { Thing } from "./said.js";

/** What is declared, as far as things are told by it. */
export interface Declared {
  /** Number of the estate that says so. */
  readonly revision: number;
  readonly consumers: readonly Claimant[];
  /** Id of an entry; `undefined` where there is none of that name. */
  readonly idOf: (
    section: "stores" | "issuers" | "credentials" | "consumers" | "owners",
    name: string,
  ) => string | undefined;
  /** Id of the credential whose account an issuer shows under this name. */
  readonly accountOf: (issuer: string, account: string) => string | undefined;
  /** What a place of a store is called whatever is written there. */
  readonly placeKeyOf: (store: string, place: Readonly<Record<string, unknown>>) => string;
  readonly isWithin: IsWithin;
  readonly sha256Hex: (text: string) => string;
}

/** A thing's node, and why it is that one. `known`: the estate declares it. */
export interface Resolved {
  readonly node: PlainNode;
  readonly known: boolean;
  readonly sentence: string;
}

/** A stable id of the thing itself, whatever node it turns out to be. Its name for people is no part of it. */
export function thingId(thing: Thing, sha256Hex: (text: string) => string): string {
  return `thg_${sha256Hex(canonical(identifying(thing))).slice(0, 24)}`;
}

function identifying(thing: Thing): object {
  switch (thing.is) {
    case "reader":
      return { is: thing.is, traits: thing.traits };
    case "place":
      return { is: thing.is, store: thing.store, place: thing.place };
    case "account":
      return { is: thing.is, issuer: thing.issuer, account: thing.account };
    case "location":
      return { is: thing.is, scope: thing.scope, path: thing.path };
    case "credential":
      return { is: thing.is, scope: thing.scope, name: thing.name };
    case "named":
      return { is: thing.is, type: thing.type, name: thing.name };
  }
}

/** In which section something stands that is called by its name there, and what its node is with and without an entry. */
const namedTypes = {
  credential: { section: "credentials", declared: "credential", unknown: "credential" },
  consumer: { section: "consumers", declared: "consumer", unknown: "identity" },
  owner: { section: "owners", declared: "owner", unknown: "owner" },
  store: { section: "stores", declared: "system", unknown: "system" },
  issuer: { section: "issuers", declared: "system", unknown: "system" },
} as const;

/** The node of a thing. */
export function resolve(thing: Thing, declared: Declared): Resolved {
  const { idOf, sha256Hex } = declared;
  const short = (name: string) => shortened(name, nameLength, sha256Hex);
  const made = (prefix: string) => `${prefix}_${sha256Hex(canonical(identifying(thing))).slice(0, 24)}`;
  switch (thing.is) {
    case "reader": {
      const { consumer, sentence } = matchReader(thing.traits, declared.consumers, declared.isWithin);
      const node: PlainNode =
        consumer === null
          ? {
              ...{ id: made("idn"), type: "identity", name: short(readerName(thing.name, thing.traits)) },
              class: thing.class,
            }
          : { id: consumer.id, type: "consumer", name: consumer.name };
      return { node, known: consumer !== null, sentence };
    }
    case "place": {
      const store = idOf("stores", thing.store) ?? thing.store;
      const id = locationId(store, declared.placeKeyOf(thing.store, thing.place), sha256Hex);
      const name = short(`${thing.store} ${placeText(thing.place)}`);
      return { node: { id, type: "location", name }, known: true, sentence: `A place in ${thing.store}.` };
    }
    case "account": {
      const id = declared.accountOf(thing.issuer, thing.account);
      const name = short(`${thing.account} at ${thing.issuer}`);
      if (id !== undefined)
        return {
          node: { id, type: "credential", name },
          known: true,
          sentence: `The estate declares the account ${name}.`,
        };
      const node: PlainNode = { id: made("acc"), type: "credential", name, class: thing.class };
      return { node, known: false, sentence: `No credential of the estate has the account ${name}.` };
    }
    case "location": {
      const name = short(`${thing.scope} ${thing.path}`);
      const sentence = `It stands in ${thing.scope}.`;
      return { node: { id: made("loc"), type: "location", name, class: thing.class }, known: true, sentence };
    }
    case "credential": {
      const name = short(`${thing.name} of ${thing.scope}`);
      const sentence = `${thing.scope} lists it, and the estate does not.`;
      return {
        node: { id: made("lst"), type: "credential", name, class: thing.class },
        known: false,
        sentence,
      };
    }
    case "named": {
      const { section, declared: type, unknown } = namedTypes[thing.type];
      const id = idOf(section, thing.name);
      if (id !== undefined)
        return { node: { id, type, name: thing.name }, known: true, sentence: "By its name in the estate." };
      const name = short(thing.name);
      const sentence = `The estate has no ${thing.type} ${name}.`;
      const node: PlainNode = { id: made("nam"), type: unknown, name, class: thing.class };
      return { node, known: false, sentence };
    }
  }
}
