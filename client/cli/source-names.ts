/** What sources are called: the inventory keeps evidence by the id of the source, and ids tell people nothing. */
import type { Graph } from "../../domain/graph/types.js";
import type { Database } from "../../inventory/database.js";
import { listEntries } from "../../inventory/estate.js";

/** The map with the names of its sources in the place of their ids; also of those that have left the estate. */
export async function withSourceNames(db: Database, graph: Graph): Promise<Graph> {
  const names = new Map(
    (await listEntries(db, "sources", { ended: true })).map(({ id, name }) => [id, name]),
  );
  const edges = graph.edges.map((edge) => ({
    ...edge,
    evidence: edge.evidence.map((one) => ({ ...one, source: names.get(one.source) ?? one.source })),
  }));
  return { ...graph, edges };
}
