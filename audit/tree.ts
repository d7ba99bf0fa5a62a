/**
 * Which parts of the tree a root or a proof is made of, by numbers alone (RFC 6962, section 2.1). Knowing them
 * beforehand, a proof is one read of a few tiles and not a walk with a read for each step.
 */

/** Entries `start` to `end`, the end not included. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A complete subtree: `2 ** level` entries from `index * 2 ** level` on. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** The complete subtrees that a range is made of, from the left. The range begins where its largest part can. */
export function subtreesOf({ start, end }: Range): Subtree[] {
  const found: Subtree[] = [];
  for (let at = start; at < end; ) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level += 1;
    found.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return found;
}

/** The largest power of two that is smaller than `size`, where RFC 6962 divides a tree. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** The ranges whose hashes prove that entry `index` is in a tree of `size` entries, from the leaf upwards. */
export function inclusionRanges(index: number, size: number): Range[] {
  return pathTo(index, { start: 0, end: size });
}

function pathTo(index: number, { start, end }: Range): Range[] {
  if (end - start <= 1) return [];
  const middle = start + splitOf(end - start);
  return index < middle
    ? [...pathTo(index, { start, end: middle }), { start: middle, end }]
    : [...pathTo(index, { start: middle, end }), { start, end: middle }];
}

/** The ranges whose hashes prove that a tree of `size` entries begins with one of `former` entries. */
export function consistencyRanges(former: number, size: number): Range[] {
  if (former === 0 || former === size) return [];
  return subproof(former, { start: 0, end: size }, true);
}

function subproof(former: number, { start, end }: Range, whole: boolean): Range[] {
  if (former === end - start) return whole ? [] : [{ start, end }];
  const middle = start + splitOf(end - start);
  return former <= middle - start
    ? [...subproof(former, { start, end: middle }, whole), { start: middle, end }]
    : [...subproof(former - (middle - start), { start: middle, end }, false), { start, end: middle }];
}
