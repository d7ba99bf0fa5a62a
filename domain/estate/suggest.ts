/** "Did you mean": most wrong names are one slip away from a right one, and naming it saves the search. */

/** Longer words are not compared: nobody mistypes one, and the cost grows with the square of the length. */
const lengthMax = 64;

/** Optimal string alignment distance: insertions, deletions, replacements and swapped neighbours, each counted once. */
function distance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, at(beforePrevious, j - 2) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

/** The rows are filled before they are read; the fallback only tells the type-checker so. */
function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}

/**
 * The candidate that was most likely meant, or `undefined` when none is close: at most one slip in every
 * three letters, case ignored. Of equally close ones the first in the given order wins.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > lengthMax) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const slips = distance(wanted, candidate.toLowerCase());
    if (slips < bestDistance) [best, bestDistance] = [candidate, slips];
  }
  return best;
}

/** The candidates that begin with the word, case ignored, each once and in the order of the alphabet; none of the empty word. */
export function begunWith(word: string, candidates: Iterable<string>): string[] {
  if (word === "") return [];
  const wanted = word.toLowerCase();
  return [...new Set(candidates)].filter((one) => one.toLowerCase().startsWith(wanted)).sort();
}

/** So many names that begin with what was written are named in a hint. */
export const begunMax = 5;

/** The names that begin with the word, or else the one that is a slip away, quoted: `"a" or "b"`; `undefined` where there is neither. */
export function meantNames(word: string, candidates: readonly string[]): string | undefined {
  const begun = begunWith(word, candidates);
  const likely = begun.length > 0 ? begun : [suggest(word, candidates)].filter((one) => one !== undefined);
  const named = likely.slice(0, begunMax).map((one) => `"${one}"`);
  const last = likely.length > named.length ? "another that begins so" : named.pop();
  if (last === undefined) return undefined;
  return named.length === 0 ? last : `${named.join(", ")} or ${last}`;
}
