/**
 * How a name is kept that is longer than anybody needs. Whoever may choose their own name must not be lost for its length: what they
 * are called is its beginning, and a digest of all of it, by which two that begin alike are two.
 */

/** Characters of the digest: as many as an id has of its own. */
const digestChars = 24;

/** How long a text may be, and how much of a longer one is kept before its digest; both in UTF-16 units. */
export interface Length {
  readonly longest: number;
  readonly kept: number;
}

/**
 * The text itself where it is no longer than `longest`; of a longer one the first `kept` and a digest of all of it, the same for the
 * same text everywhere. No pair of surrogates is cut in two. `sha256Hex` hashes a text.
 */
export function shortened(
  text: string,
  { longest, kept }: Length,
  sha256Hex: (text: string) => string,
): string {
  if (text.length <= longest) return text;
  const isWithin = text.charCodeAt(kept - 1) >= 0xd800 && text.charCodeAt(kept - 1) <= 0xdbff;
  return `${text.slice(0, isWithin ? kept - 1 : kept)}…${sha256Hex(text).slice(0, digestChars)}`;
}

/** What is on the map is called so that an exception can name it (`about`, 400 at most), and so that a table has room for it. */
export const nameLength: Length = { longest: 400, kept: 200 };
