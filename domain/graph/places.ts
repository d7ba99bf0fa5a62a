/** What a place in a store is called on the map: it has no entry of its own in the estate. */
import { canonical } from "../plan.js";

/** Id of the place, the same for everybody who speaks of it. `sha256Hex` hashes a text. */
export function locationId(
  store: string,
  place: Readonly<Record<string, unknown>>,
  sha256Hex: (text: string) => string,
): string {
  return `loc_${sha256Hex(`${store} ${canonical(place)}`).slice(0, 24)}`;
}

/** A place as people read it: its fields in their order, without their names where there is one only. */
export function placeText(place: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(place).filter(
    ([, value]) => typeof value === "string" || typeof value === "number",
  );
  return fields.length === 1
    ? String(fields[0]?.[1])
    : fields.map(([name, value]) => `${name}=${value}`).join(" ");
}
