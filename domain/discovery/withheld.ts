/**
 * What a source says is stored, printed, and put into the sentences of findings, and whoever wrote the file or chose the name of the
 * session that it read may have left a secret in it (I6). So every text loses what is known to hold one before it goes anywhere:
 * the user and the query of an address, a token in its path (whoever has the address of a webhook may call it), and whatever has the
 * shape of a secret. Stars stand in its place.
 */
import { addressesIn } from "../estate/addresses.js";
import { secretRuns } from "../estate/literals.js";
import { tokensIn } from "../estate/random-words.js";
import type { ScanPart } from "./said.js";

/** What stands where something was withheld; no recogniser takes it for a value, so that withholding twice is withholding once. */
const stars = "***";

/** The text without what may be a secret in it. */
export function withheld(text: string): string {
  let rest = text;
  for (const { userFrom, userUntil, queryFrom, until } of addressesIn(text).reverse()) {
    rest = starred(rest, queryFrom, until);
    const path = text.slice(userUntil, queryFrom);
    const host = path.search(/\/|$/);
    for (const token of tokensIn(path.slice(host)).reverse())
      rest = starred(rest, userUntil + host + token.from, userUntil + host + token.until);
    rest = starred(rest, userFrom, userUntil);
  }
  for (const { from, until } of secretRuns(rest).reverse()) rest = starred(rest, from, until);
  return rest;
}

const starred = (text: string, from: number, until: number): string =>
  from === until || text.startsWith(stars, from) ? text : text.slice(0, from) + stars + text.slice(until);

/** The part with every text in it withheld so; its marks and its cursor are ours. The same one where there was nothing to withhold. */
export function withheldPart(part: ScanPart): ScanPart {
  return withheldIn(part) as ScanPart;
}

const ours = new Set(["mark", "cursor"]);

/** Most parts have nothing in them, and logs have thousands of parts: only what changes is made anew. */
function withheldIn(value: unknown): unknown {
  if (typeof value === "string") return withheld(value);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value);
  const changed = fields.flatMap(([name, inner]) => {
    const own = ours.has(name) ? inner : withheldIn(inner);
    return own === inner ? [] : [[name, own] as const];
  });
  if (changed.length === 0) return value;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  return Object.assign(copy, Object.fromEntries(changed));
}
