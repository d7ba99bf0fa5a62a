/** Who is on a credential, was, or could be, without being one of its declared consumers. */

import { type Fading, isCurrent } from "./graph/current.js";
import { bestKnown, byKnown, strongest } from "./graph/known.js";
import type { Evidence, Graph, GraphNode } from "./graph/types.js";
import type { User } from "./graph/use.js";
import type { MappedReader } from "./mapped.js";
import { asSentence } from "./sentence.js";
import { minuteOf } from "./watched.js";

/** One of them. */
export interface Stranger extends MappedReader {
  readonly node: GraphNode;
}

/** What is needed to tell who counts, and to name sources. */
export interface Looking {
  /** Ids of the credential's declared consumers. */
  readonly expected: ReadonlySet<string>;
  /** Names of sources, by their ids. */
  readonly names: ReadonlyMap<string, string>;
  readonly fading: Fading;
}

/**
 * Whether no declared consumer accounts for a user. A consumer of the estate that uses it, and is not declared to, is as unexpected
 * as somebody whom nobody knows, and so is an account or a place that a source says to use it. What the engine itself could read by
 * a credential of its own is none.
 */
export function isStranger(
  { node, edge }: Pick<User, "node" | "edge">,
  expected: Looking["expected"],
): boolean {
  if (node.type === "consumer") return !expected.has(node.id);
  return node.type === "identity" || edge.type === "uses";
}

/** Users whom no declared consumer accounts for, each once. */
export function strangersOn(
  graph: Graph,
  users: readonly User[],
  { expected, names, fading }: Looking,
): Stranger[] {
  const cadenceOf = (id: string) => graph.nodes.get(id)?.cadenceMs ?? 0;
  const strangers = users
    .filter((user) => isStranger(user, expected))
    .map((user) => {
      const cadenceMs = Math.max(cadenceOf(user.edge.from), cadenceOf(user.edge.to));
      const evidence = user.edge.evidence.filter((one) => isCurrent(one, fading, cadenceMs));
      const isPast = evidence.length === 0 && user.edge.evidence.length > 0;
      const edge = isPast ? user.edge : { ...user.edge, evidence };
      return { ...user, edge, isPast, known: isPast ? ("potential" as const) : bestKnown(edge) };
    });
  return surest(strangers).map(({ node, edge, known, isPast }) => {
    const best = strongest(edge.evidence);
    return {
      ...{ node, name: node.name, known: isPast ? "past" : known },
      sentence: best === undefined ? "It is on the map." : sentenceOf(best, names.get(best.source)),
    };
  });
}

/** Why, and when it was seen. An instant and no age: the same facts are told in the same words at every look. */
function sentenceOf({ kind, sentence, lastSeen, source }: Evidence, called = source): string {
  // What somebody wrote down was seen by nobody.
  const when = kind === "declared" ? "Last stated" : "Last seen";
  return `${asSentence(sentence)} ${when} ${minuteOf(lastSeen)} by ${called}.`;
}

/**
 * Each reader once, by the edge that says most: one that counts before one of the past, then the one that is known best. Who is
 * seen at a copy may also have the right to read all of them.
 */
function surest<Known extends User & { readonly isPast: boolean }>(users: readonly Known[]): Known[] {
  const bySureness = (a: Known, b: Known) => Number(b.isPast) - Number(a.isPast) || byKnown(a.edge, b.edge);
  const edgesOf = Map.groupBy(users, ({ node }) => node.id);
  return [...edgesOf.values()].flatMap((edges) => edges.toSorted(bySureness).at(-1) ?? []);
}
