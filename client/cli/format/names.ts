/**
 * Names for ids. Workflows speak of entries by opaque ids, because ids are all that may stand in Temporal
 * unencrypted (H40); people get the names, also inside sentences.
 */

/** Looks names up. */
export interface Names {
  /** The name, or the id itself where there is none. */
  of(id: string): string;
  /** The sentence with every known id replaced by its name. */
  in(sentence: string): string;
}

/** Names from pairs of id and name. */
export function namesOf(known: Iterable<readonly [string, string]>): Names {
  const names = new Map(known);
  const of = (id: string) => names.get(id) ?? id;
  return { of, in: (sentence) => sentence.replaceAll(/[A-Za-z0-9_-]+/g, of) };
}
