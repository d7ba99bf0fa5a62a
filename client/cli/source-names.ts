/** What sources are called: the inventory keeps what they say by their ids, and ids tell people nothing. */
import type { GraphOverTime } from "../../domain/graph/changes.js";
import type { GraphEdge } from "../../domain/graph/types.js";
import type { Database } from "../../inventory/database.js";
import { listEntries } from "../../inventory/estate.js";

/** Names of sources by their ids; also of those that have left the estate. */
export type SourceNames = ReadonlyMap<string, string>;

/** All of them. */
export async function sourceNames(db: Database): Promise<SourceNames> {
  const sources = await listEntries(db, "sources", { ended: true });
  return new Map(sources.map(({ id, name }) => [id, name]));
}

/** What a source says, with its name in the place of its id; what is no source of the estate (the estate itself) is called as it is. */
export function namedSource<Said extends { readonly source: string }>(names: SourceNames, said: Said): Said {
  return { ...said, source: names.get(said.source) ?? said.source };
}

/** A finding with the names of those who show it in the place of their ids. */
export function withShowing<Found extends { readonly sources: readonly string[] }>(
  names: SourceNames,
  found: Found,
): Found {
  return { ...found, sources: found.sources.map((id) => names.get(id) ?? id).sort() };
}

/** The map with the names of its sources in the place of their ids. */
export async function withSourceNames(db: Database, graph: GraphOverTime): Promise<GraphOverTime> {
  const names = await sourceNames(db);
  const named = (edges: readonly GraphEdge[]) =>
    edges.map((edge) => ({ ...edge, evidence: edge.evidence.map((one) => namedSource(names, one)) }));
  const { edges, past } = graph;
  return {
    ...graph,
    edges: named(edges),
    ...(past === undefined ? {} : { past: { ...past, edges: named(past.edges) } }),
  };
}
