/** What sources are called: the inventory keeps what they say by their ids, and ids tell people nothing. */
import type { Graph } from "../../domain/graph/types.js";
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

/** The map with the names of its sources in the place of their ids. */
export async function withSourceNames(db: Database, graph: Graph): Promise<Graph> {
  const names = await sourceNames(db);
  const edges = graph.edges.map((edge) => ({
    ...edge,
    evidence: edge.evidence.map((one) => namedSource(names, one)),
  }));
  return { ...graph, edges };
}
