/** Rules about issuers and stores: one credential to a place (H18), and an engine that never waits for itself (H26). */
import { findCycles } from "./cycles.js";
import { type EstateIssue, type EstatePath, issue } from "./issues.js";
import type { EstateKinds } from "./kinds.js";
import { lookUp } from "./shape.js";
import type { Credential, Estate } from "./types.js";

/** Two credentials that claim the same account or the same place: each rotation would undo the other's. */
export function checkPlaces(estate: Estate, kinds: EstateKinds): EstateIssue[] {
  const holders = new Map<string, string>();
  return Object.entries(estate.credentials).flatMap(([name, credential]) => {
    const path = ["credentials", name];
    const taken = (field: "account" | "place", keys: readonly string[], at: EstatePath): EstateIssue[] => {
      const other = keys.map((key) => holders.get(`${field} ${key}`)).find((holder) => holder !== undefined);
      for (const key of keys) holders.set(`${field} ${key}`, other ?? name);
      return other === undefined ? [] : [sameClaim(at, field, other)];
    };
    return [
      ...taken("account", accountKeys(estate, kinds, credential), [...path, "account"]),
      ...taken("place", placeKeys(estate, kinds, credential, credential.place), [...path, "place"]),
      ...credential.consumers.flatMap(({ place }, i) =>
        place === undefined
          ? []
          : taken("place", placeKeys(estate, kinds, credential, place), [...path, "consumers", i, "place"]),
      ),
    ];
  });
}

/** What no other credential may have: its account at the issuer, and its places in the store, as their kinds call them. */
export function claimsOf(estate: Estate, kinds: EstateKinds, credential: Credential): string[] {
  const pinned = credential.consumers.flatMap(({ place }) => (place === undefined ? [] : [place]));
  return [
    ...accountKeys(estate, kinds, credential).map((key) => `account ${key}`),
    ...seenKeys(credential).map((key) => `seen ${key}`),
    ...[credential.place, ...pinned].flatMap((place) =>
      placeKeys(estate, kinds, credential, place).map((key) => `place ${key}`),
    ),
  ];
}

function accountKeys(estate: Estate, kinds: EstateKinds, { issuer, account }: Credential): string[] {
  const config = lookUp(estate.issuers, issuer);
  return config === undefined ? [] : (lookUp(kinds.issuers, config.kind)?.lockKeys(config, account) ?? []);
}

function placeKeys(
  estate: Estate,
  kinds: EstateKinds,
  { store }: Credential,
  place: Credential["place"],
): string[] {
  const config = lookUp(estate.stores, store);
  return config === undefined ? [] : (lookUp(kinds.stores, config.kind)?.lockKeys(config, place) ?? []);
}

function seenKeys({ issuer, seenAs = [] }: Pick<Credential, "issuer" | "seenAs">): string[] {
  return seenAs.map(({ at = issuer, account }) => `${at} ${account}`);
}

/** One account that two credentials are to be seen as: a session of it would be a use of either, and evidence for none. */
export function checkSeenAs(estate: Estate, kinds: EstateKinds): EstateIssue[] {
  const holders = new Map<string, string>();
  for (const [name, { issuer, account }] of Object.entries(estate.credentials)) {
    const config = lookUp(estate.issuers, issuer);
    const shown = config === undefined ? [] : (lookUp(kinds.issuers, config.kind)?.shownAs?.(account) ?? []);
    for (const one of shown) holders.set(`${issuer} ${one}`, name);
  }
  return Object.entries(estate.credentials).flatMap(([name, credential]) =>
    seenKeys(credential).flatMap((key, i) => {
      const other = holders.get(key) ?? name;
      holders.set(key, other);
      if (other === name) return [];
      const message = `"${other}" is seen as the same account, and a session of it could be a use of either`;
      const hint = "say it of the one whose value logs in there";
      return [issue({ path: ["credentials", name, "seenAs", i], code: "same-seen-as", message, hint })];
    }),
  );
}

function sameClaim(path: EstatePath, field: "account" | "place", other: string): EstateIssue {
  const what = field === "account" ? "account at the issuer" : "place in the store";
  const message = `"${other}" has the same ${what}, and two writers would undo each other`;
  const hint =
    field === "account"
      ? "make them one credential"
      : "give each a place of its own, or make them one credential";
  return issue({ path, code: `same-${field}`, message, hint });
}

/** A part that the issuer's kind does not know: nobody would know when such a consumer comes to a version. */
export function checkRoles(estate: Estate, kinds: EstateKinds): EstateIssue[] {
  return Object.entries(estate.credentials).flatMap(([name, credential]) => {
    const config = lookUp(estate.issuers, credential.issuer);
    const kind = config === undefined ? undefined : lookUp(kinds.issuers, config.kind);
    if (config === undefined || kind === undefined) return [];
    const known = (kind.traits.roles ?? []).map(({ role }) => role);
    return credential.consumers.flatMap(({ role }, i) => {
      if (role === undefined || known.includes(role)) return [];
      const path = ["credentials", name, "consumers", i, "role"];
      const message = `the kind ${config.kind} has no role "${role}"`;
      const hint = known.length === 0 ? "leave the role out" : `use one of: ${known.join(", ")}`;
      return [issue({ path, code: "unknown-role", message, hint })];
    });
  });
}

/**
 * A credential depends on those that the engine logs in with to its issuer and to its store. A ring of them
 * cannot be rotated once one of them fails. The one exception is a login that its issuer lets replace itself
 * while both versions work (H15).
 */
export function checkEngineCredentials(estate: Estate, kinds: EstateKinds): EstateIssue[] {
  const needs = (name: string): string[] => {
    const credential = lookUp(estate.credentials, name);
    if (credential === undefined) return [];
    const issuer = lookUp(estate.issuers, credential.issuer);
    const store = lookUp(estate.stores, credential.store);
    const overlaps = issuer !== undefined && lookUp(kinds.issuers, issuer.kind)?.traits.overlap !== "none";
    const atIssuer = issuer?.engineCredential === name && overlaps ? undefined : issuer?.engineCredential;
    return [atIssuer, store?.engineCredential].filter((needed) => needed !== undefined);
  };
  return findCycles(Object.keys(estate.credentials), needs).map((ring) => {
    const [first = ""] = ring;
    const message = `rotating it needs itself: ${[...ring, first].join(" → ")}`;
    const hint =
      "let the engine log in to one of these issuers or stores with a credential from outside the ring";
    return issue({ path: ["credentials", first], at: "key", code: "engine-cycle", message, hint });
  });
}
