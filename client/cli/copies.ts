/** Copies of credentials' values that sources met, as people and programs are told of them. */
import { isCopy } from "../../domain/graph/copies.js";
import { strongest } from "../../domain/graph/known.js";
import type { CopyLook, Graph, GraphEdge } from "../../domain/graph/types.js";
import { standsText } from "../../domain/mapped.js";
import { minuteOf } from "../../domain/watched.js";
import { count } from "./format/layout.js";
import { namesIn } from "./node.js";
import { namedSource, type SourceNames } from "./source-names.js";

/** A copy. Times are milliseconds since the epoch. */
export interface ToldCopy extends CopyLook {
  readonly credential: string;
  readonly place: string;
  /** It has only got there, and nobody is known to read it. */
  readonly isLeak: boolean;
  readonly firstSeen: number;
  readonly lastMet: number | null;
  /** Names of the sources that met it. */
  readonly sources: readonly string[];
  /** What it was met as. */
  readonly sentence: string;
}

/** Every copy that is on a map, by its place and then its credential. */
export function toldCopies(graph: Graph, names: SourceNames): ToldCopy[] {
  const named = namesIn(graph);
  return graph.edges
    .filter(isCopy)
    .map((edge) => toldCopy(edge, named, names))
    .sort((a, b) => (`${a.place} ${a.credential}` < `${b.place} ${b.credential}` ? -1 : 1));
}

/** One of them. */
export function toldCopy(edge: GraphEdge, named: (id: string) => string, names: SourceNames): ToldCopy {
  const { from, to, type, firstSeen, evidence, copy } = edge;
  const last = strongest(evidence);
  return {
    ...{ credential: named(from), place: named(to), isLeak: type === "leaked-to" },
    ...{
      literal: copy?.literal ?? false,
      past: copy?.past ?? false,
      firstSeen,
      lastMet: last?.lastSeen ?? null,
    },
    sources: [...new Set(evidence.map((one) => namedSource(names, one).source))].sort(),
    sentence: last?.sentence ?? "",
  };
}

/** How it stands there. */
export function lookText({ literal, past }: CopyLook): string {
  const how = standsText(literal);
  return past ? `${how}, once` : how;
}

/** What it was met as, how it stands there, and when it was met last. */
export function metText({ sentence, lastMet, ...look }: ToldCopy): string {
  const when = lastMet === null ? "" : `, last met ${minuteOf(lastMet)}`;
  return `The same value was met there: ${sentence.replace(/\.$/, "")}; ${lookText(look)}${when}.`;
}

/** Where it has only got to, as a line; none where it has not. */
export function leaksText(copies: readonly ToldCopy[]): string[] {
  const leaks = new Set(copies.filter(({ isLeak }) => isLeak).map(({ place }) => place)).size;
  if (leaks === 0) return [];
  const places = count(leaks, "place", "places");
  return [
    `The value has got to ${places} where nobody is known to read it, and nothing breaks there: \`rekey findings --code leaked-copy\`.`,
  ];
}
