/**
 * When there were records in a log: as stretches of time, because the first and the last of them say nothing of what lies between.
 * A log with one record of two months ago and one of today has not watched for two months.
 */

/** From one record to another between which no pause is told; milliseconds since the epoch. */
export type Stretch = readonly [from: number, until: number];

/** Pauses up to this are none, in milliseconds: nobody asks for evidence more often. */
export const pauseMsMin = 60 * 60_000;

/** Stretches that are kept, so that a log of any length takes no more room. */
export const stretchesMax = 64;

const dayMs = 24 * 60 * 60_000;

/**
 * Several lists as one, in order and without overlap. The same whatever the order of the lists while it has room; where it has
 * none, the shortest pause of less than a day is forgotten, and where all are longer the oldest stretch: a log is never said to
 * have watched through the long pauses that a policy asks about.
 */
export function mergedStretches(...lists: readonly (readonly Stretch[])[]): Stretch[] {
  const merged: [number, number][] = [];
  for (const [from, until] of lists.flat().sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from - last[1] <= pauseMsMin) last[1] = Math.max(last[1], until);
    else merged.push([from, until]);
  }
  while (merged.length > stretchesMax) {
    const pauses = merged.slice(1).map(([from], index) => from - (merged[index]?.[1] ?? from));
    const shortest = Math.min(...pauses);
    const at = pauses.indexOf(shortest);
    const [before, after] = [merged[at], merged[at + 1]];
    if (shortest >= dayMs || before === undefined || after === undefined) merged.shift();
    else merged.splice(at, 2, [before[0], after[1]]);
  }
  return merged;
}

/** What is known where nobody has told of the time between: that there was a record at either end. */
export function atEnds(covered: { readonly from: number; readonly until: number } | null): Stretch[] {
  return covered === null
    ? []
    : mergedStretches([
        [covered.from, covered.from],
        [covered.until, covered.until],
      ]);
}

/** Adds up the times of records, in whatever order they come, at the cost of two comparisons where they are near each other. */
export class StretchTally {
  #all: [number, number][] = [];
  #at: [number, number] | undefined;

  /** One more record, of this time in milliseconds since the epoch. */
  add(at: number): void {
    if (this.#at === undefined || !reaches(this.#at, at)) {
      this.#at = this.#all.find((one) => reaches(one, at));
      if (this.#at === undefined) this.#at = this.#begin(at);
    }
    if (at < this.#at[0]) this.#at[0] = at;
    if (at > this.#at[1]) this.#at[1] = at;
  }

  /** The stretches, and room for others. */
  take(): Stretch[] {
    const taken = mergedStretches(this.#all);
    this.#all = [];
    this.#at = undefined;
    return taken;
  }

  #begin(at: number): [number, number] {
    // Twice as many as are kept, so that merging costs little.
    if (this.#all.length >= 2 * stretchesMax)
      this.#all = mergedStretches(this.#all).map(([from, until]) => [from, until]);
    const begun: [number, number] = [at, at];
    this.#all.push(begun);
    return begun;
  }
}

function reaches([from, until]: Stretch, at: number): boolean {
  return at >= from - pauseMsMin && at <= until + pauseMsMin;
}
