/** Whoever uses a credential, as the database reads it: what the whole map says of it, and as much is known of each edge. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { ownerNames } from "../../domain/graph/blast.js";
import { keptOf } from "../../domain/graph/kept.js";
import { Adjacency } from "../../domain/graph/reach.js";
import type { Graph } from "../../domain/graph/types.js";
import { usersOf } from "../../domain/graph/use.js";
import { read } from "../../inventory/database.js";
import { loadMap, loadUsers, usersWithin } from "../../inventory/graph-load.js";
import { migratedDatabase } from "./database.js";
import { anyEdges, kept } from "./maps.js";
import { t0 } from "./world.js";

/** Everything that is told of a credential's users, in an order of its own. */
function told(graph: Graph, credential: string) {
  const adjacency = new Adjacency(graph);
  const { copies, containers } = keptOf(adjacency, credential);
  const sorted = <T>(list: Iterable<T>) =>
    [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const users = usersOf(adjacency, credential).map(({ edge: { evidence, ...edge }, ...user }) => {
    const owners = ownerNames(adjacency, user.node.id);
    return { ...user, edge, owners, evidence: sorted(evidence) };
  });
  const own = { node: graph.nodes.get(credential), owners: ownerNames(adjacency, credential) };
  return { own, copies: sorted(copies), containers: sorted(containers), users: sorted(users) };
}

it("reads of the map what the whole of it says, of one credential and of several at a time", async () => {
  await fc.assert(
    fc.asyncProperty(anyEdges, anyEdges, anyEdges, async (declared, seen, ended) => {
      const { db } = await migratedDatabase();
      await kept(db, declared);
      await kept(db, seen, { source: "src_1", kind: "read", at: t0 + 1_000 });
      await kept(db, ended, { source: "src_2", kind: "potential", at: t0 + 2_000 });
      await kept(db, ended.slice(0, 9), { source: "src_2", kind: "potential", at: t0 + 3_000 });
      const map = await loadMap(db);
      const several = await read(db, (tx) => usersWithin(tx, ["c0", "c1"]));
      for (const id of ["c0", "c1"]) {
        expect(told(await loadUsers(db, id), id)).toEqual(told(map, id));
        expect(told(several, id)).toEqual(told(map, id));
      }
    }),
    { numRuns: 25 },
  );
});
