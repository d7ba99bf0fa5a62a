/** What a place in a store is called on the map: it has no entry of its own in the estate. */

/**
 * Id of the place, the same for everybody who speaks of it. `key` names the place as its kind does for the lock, without
 * what is written there and how; `sha256Hex` hashes a text.
 */
export function locationId(store: string, key: string, sha256Hex: (text: string) => string): string {
  return `loc_${sha256Hex(`${store} ${key}`).slice(0, 24)}`;
}

/** A place as people read it: the first of its fields, which is its path or its name in every kind. */
export function placeText(place: Readonly<Record<string, unknown>>): string {
  return String(Object.values(place).find((value) => typeof value === "string") ?? "");
}
