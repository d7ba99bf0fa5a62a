/**
 * What is usual for a credential: who uses it, with which tool and from where, when and how often (C24). It judges nothing;
 * it is what a use that is not usual is held against, and what came after a day is marked as new.
 */
import type { ReaderTraits } from "../discovery/said.js";
import type { NodeType } from "./types.js";

/** One way in which somebody was seen using it. Times are milliseconds since the epoch. */
export interface Sighting {
  readonly reader: string;
  readonly type: NodeType;
  /** How they showed themselves then. */
  readonly traits: ReaderTraits;
  readonly source: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  /** As `domain/discovery/times.ts` writes them. */
  readonly times: number;
}

/** One line of the baseline: a reader in one guise. */
export interface Usual extends Omit<Sighting, "source"> {
  readonly sources: readonly string[];
  /** How far apart the sightings lie on average; null where there was one. */
  readonly intervalMs: number | null;
  /** It was seen for the first time after the day that was asked about. */
  readonly isNew: boolean;
}

/** The baseline, the busiest first; what two sources saw of one guise is one line. `since`: what began later is new. */
export function baselineOf(sightings: readonly Sighting[], since: number): Usual[] {
  const lines = new Map<string, Omit<Usual, "intervalMs" | "isNew">>();
  for (const { source, ...seen } of sightings) {
    const key = JSON.stringify([seen.type, seen.reader, Object.entries(seen.traits).sort()]);
    const before = lines.get(key);
    if (before === undefined) lines.set(key, { ...seen, sources: [source] });
    else
      lines.set(key, {
        ...before,
        sources: [...new Set([...before.sources, source])].sort(),
        count: before.count + seen.count,
        first: Math.min(before.first, seen.first),
        last: Math.max(before.last, seen.last),
        times: before.times | seen.times,
      });
  }
  return [...lines.values()]
    .map((line) => ({
      ...line,
      intervalMs: line.count > 1 ? (line.last - line.first) / (line.count - 1) : null,
      isNew: line.first > since,
    }))
    .sort((a, b) => b.count - a.count || (a.reader < b.reader ? -1 : 1));
}
