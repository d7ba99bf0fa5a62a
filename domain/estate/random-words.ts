/** What a generator made and what a person wrote, told apart by how characters follow one another: no list of words, and no provider's format. */

/**
 * True for a run of characters that a generator made. People's names change between letters and digits, or
 * between cases, a few times in twenty characters; random ones do so at every second.
 */
export function looksRandom(word: string): boolean {
  if (word.length >= 32 && /^[0-9a-f]+$/i.test(word)) return entropyBits(word) >= 3 && /[a-f]/i.test(word);
  // Without the dashes: between the words of a name they would count as changes.
  const run = word.replace(/[-_]/g, "");
  if (run.length >= 20 && /[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9]/.test(run)) {
    return entropyBits(run) >= 3.6 && changes(run) >= 0.35;
  }
  // One case only: names with dashes in them are split first, as what is between the dashes is short.
  return word.split(/[-_]/).some((part) => {
    const mixed = part.length >= 24 && /[A-Za-z]/.test(part) && /[0-9]/.test(part);
    return mixed && entropyBits(part) >= 3.5 && changes(part) >= 0.25;
  });
}

/** Shannon entropy of the characters, in bits for each. */
function entropyBits(word: string): number {
  const counts = new Map<string, number>();
  for (const character of word) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / word.length) * Math.log2(count / word.length);
  return bits;
}

/** Share of neighbours that are of different classes: lower case, upper case, digit, other. */
function changes(word: string): number {
  const classes = [...word].map((c) =>
    /[a-z]/.test(c) ? "a" : /[A-Z]/.test(c) ? "A" : /[0-9]/.test(c) ? "0" : "-",
  );
  const changed = classes.filter((kind, i) => i > 0 && kind !== classes[i - 1]).length;
  return changed / (word.length - 1);
}

/** What is shorter is an id as often as a secret: providers of logins have ids of 20 characters. */
const tokenLengthMin = 22;
/** Base64 for addresses has `-` and `_` once in 32 characters, and names have them at each of their words. */
const separatedMin = 16;
/** Behind these stands a digest, in whatever it is encoded. */
const digest = /\bsha(?:1|224|256|384|512)[:=_-]$/i;

/**
 * Where in the path of an address a token stands: a word of at least 22 characters, letters of both cases and digits in no order that
 * a name has. UUIDs and hexadecimal digests are left. By offsets in UTF-16 units, from the first to the last.
 * Of tokens of 24 random letters and digits three in a hundred look like a name, of those with 43 one in two hundred.
 */
export function tokensIn(path: string): { readonly from: number; readonly until: number }[] {
  return [...path.matchAll(/[A-Za-z0-9_-]{22,}/g)].flatMap(({ 0: word, index }) => {
    if (/^sha[0-9]+[_-]/i.test(word) || digest.test(path.slice(0, index))) return [];
    const parts = [...word.matchAll(/[^-_]+/g)];
    // Of a word with many separators, what stands between them and is no word itself: a date, a region.
    const isWhole = (parts.length - 1) * separatedMin <= word.length;
    const random = isWhole ? parts : parts.filter(({ 0: part }) => part.length > 3 && changes(part) >= 0.35);
    const [first, last] = [random.at(0), random.at(-1)];
    if (first === undefined || last === undefined || !isToken(random.map(([part]) => part).join(""), word))
      return [];
    const [from, until] = isWhole ? [0, word.length] : [first.index, last.index + last[0].length];
    return [{ from: index + from, until: index + until }];
  });
}

function isToken(run: string, word: string): boolean {
  if (run.length < tokenLengthMin || ![/[a-z]/, /[A-Z]/, /[0-9]/, /[g-z]/i].every((kind) => kind.test(run)))
    return false;
  // Of chance few of the characters look like words, of a name that is written without spaces about half.
  const wordy = [...word.matchAll(/[A-Z]?[a-z]{4,}/g)].reduce((sum, [one]) => sum + one.length, 0);
  return wordy < 0.45 * word.replace(/[-_]/g, "").length && entropyBits(run) >= 3.5 && changes(run) >= 0.35;
}
