/** A name out of those that exist, or an error that says which one was probably meant. */
import { RekeyError } from "../../domain/errors.js";
import { listed } from "../../domain/estate/issues.js";
import { meantNames } from "../../domain/estate/suggest.js";

/** `name` itself when it is among `known`. Throws `not-found` with those that begin so, the nearest one, or all of them, as hint. */
export function knownName(name: string, known: readonly string[], what: string): string {
  if (known.includes(name)) return name;
  const meant = meantNames(name, known);
  const all = known.length === 0 ? "There is none yet." : `There are ${listed([...known].sort())}.`;
  throw new RekeyError(
    "not-found",
    `There is no ${what} "${name}".`,
    meant === undefined ? all : `Did you mean ${meant}?`,
  );
}
