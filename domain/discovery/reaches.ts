/** How far each log of a source reaches, over the parts of a reading: to its newest record. */
import type { LogReach } from "./said.js";

/** Of both, by the name of the log, in the order in which they were named first. */
export function mergedReaches(one: readonly LogReach[], other: readonly LogReach[]): LogReach[] {
  const newest = new Map<string, number | null>();
  for (const { log, until } of [...one, ...other]) {
    const known = newest.get(log) ?? null;
    newest.set(log, known === null || until === null ? (known ?? until) : Math.max(known, until));
  }
  return [...newest].map(([log, until]) => ({ log, until }));
}

/**
 * With a name of its own for each: where two look the same without what was withheld in them, the second would be taken for the
 * first, whose newest record says nothing of it.
 */
export function namedApart(reaches: readonly LogReach[]): LogReach[] {
  const times = new Map<string, number>();
  return reaches.map(({ log, until }) => {
    const time = (times.get(log) ?? 0) + 1;
    times.set(log, time);
    return { log: time === 1 ? log : `${log} (${time})`, until };
  });
}
